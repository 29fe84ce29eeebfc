package catalog

import "reflect"

// NeedsTwo says whether it takes a second person to change a record so; nil adds it, or retires it. It does unless nothing is
// decided, gated or carried out by what differs: fields say so with the tag alone:"yes".
func (k Kind) NeedsTwo(before, after any) bool {
	if k == KindOutlet { // there are thousands, shops open and close, and no rule looks at them
		return false
	}
	if k == KindStandingOrder && after == nil { // what began nothing harms nobody: either side takes it back alone
		return false
	}
	if before == nil || after == nil {
		return before != after
	}
	for _, f := range k.Fields() {
		if !f.Alone && !reflect.DeepEqual(f.In(before), f.In(after)) {
			return true
		}
	}
	return false
}
