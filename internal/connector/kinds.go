package connector

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"keyholder/internal/fault"
)

// Kinds holds what serves one kind of real system each, by the kind.
type Kinds[T interface{ Kind() string }] map[string]T

// The sets that there are.
type (
	Set          = Kinds[Connector]
	Granters     = Kinds[Granter]
	ActivityLogs = Kinds[ActivityLog]
)

// All is all that there are, by what is done with them.
type All struct {
	Acts   Set
	Access Granters
	Logs   ActivityLogs
}

// NewSet makes a set of connectors under their own kinds.
func NewSet(list ...Connector) Set { return kinds(list) }

// NewGranters is like NewSet, of what gives access.
func NewGranters(list ...Granter) Granters { return kinds(list) }

// NewActivityLogs is like NewSet, of what reads what was done.
func NewActivityLogs(list ...ActivityLog) ActivityLogs { return kinds(list) }

func kinds[T interface{ Kind() string }](list []T) Kinds[T] {
	k := make(Kinds[T], len(list))
	for _, one := range list {
		k[one.Kind()] = one
	}
	return k
}

// Get finds one; its error names the kinds there are.
func (k Kinds[T]) Get(kind string) (T, error) {
	if one, there := k[kind]; there {
		return one, nil
	}
	var none T
	message := fmt.Sprintf("There is no connector %q for this; the kinds are: %s.", kind, strings.Join(slices.Sorted(maps.Keys(k)), ", "))
	return none, &fault.Error{Kind: fault.Invalid, Message: message, Fields: map[string]string{"connector": "is not a known kind"}}
}
