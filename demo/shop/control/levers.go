package control

// The parts that checkout leans on, and the outlets.
const (
	PartLoyalty = "loyalty"
	PartFlags   = "flags"
	PartTax     = "tax"
	PartERP     = "erp"
	PartOutlets = "outlets"
)

// Parts are those that can be broken by levers, in the order in which they start and are shown.
func Parts() []string { return []string{PartFlags, PartLoyalty, PartTax, PartERP, PartOutlets} }

// Lever breaks a part in one way, and mends it. Both orders are given with the part's name and a hyphen before them.
type Lever struct {
	Break, Mend string
	state       func(*PartBreaks) *bool
}

// Pulled tells whether the part is broken in this way.
func (l Lever) Pulled(b PartBreaks) bool { return *l.state(&b) }

// Set breaks or mends.
func (l Lever) Set(b *PartBreaks, broken bool) { *l.state(b) = broken }

// Levers are the ways in which a part can be broken; stopping it is the first.
func Levers(part string) []Lever {
	stop := Lever{"stop", "start", func(b *PartBreaks) *bool { return &b.Stopped }}
	slow := Lever{"slow", "quick", func(b *PartBreaks) *bool { return &b.Slow }}
	garbage := Lever{"garbage", "sense", func(b *PartBreaks) *bool { return &b.Garbage }}
	lie := Lever{"lie", "honest", func(b *PartBreaks) *bool { return &b.Lying }}
	cut := Lever{"cut", "join", func(b *PartBreaks) *bool { return &b.Cut }}
	switch part {
	case PartLoyalty, PartERP:
		return []Lever{stop, slow}
	case PartFlags:
		return []Lever{stop, slow, lie}
	case PartTax:
		return []Lever{stop, slow, garbage}
	case PartOutlets:
		return []Lever{stop, cut}
	default:
		return nil
	}
}
