package change

import (
	"fmt"
	"reflect"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// Past is something that was approved once: a request, a change request, an exception.
type Past struct {
	Code           string
	About          []catalog.Ref                                 // that it cannot be judged without
	RulesIn        func(catalog.Catalog) (approval.Rules, error) // that it would have to meet
	Ballot         approval.Ballot                               // who asked and who voted, with the roles that they held then; no rules
	Filed, Decided time.Time
	InAdvance      bool // a standing order approved it
	Guessed        bool // some role is counted of which it is no longer known that it was held there
}

// Short is an approval of the past that would not have been one.
type Short struct {
	Code string
	Why  string          // the rule's no, where it gives one
	Want []approval.Want // besides those who approved it
}

// Held is what the approvals of the past would have been under a change.
type Held struct {
	Apart   int      // that the change says nothing about
	Same    int      // approved as they were
	Short   []Short  // not approved
	Gone    []string // about something that is not, or no longer, in the catalogue: nobody can tell
	Guessed []string // counted with a role of which it is not known that it was held there
	SignIns []string // for which a younger sign-in would have been asked; how old they were is not kept
}

// HeldAgainst counts what was approved in the past by the policies of a changed catalogue, as votes are counted.
func HeldAgainst(before, after catalog.Catalog, past []Past) (Held, error) {
	var h Held
	for _, p := range past {
		if p.gone(before) || p.gone(after) {
			h.Gone = append(h.Gone, p.Code)
			continue
		}
		was, err := p.RulesIn(before)
		if err != nil && fault.As(err) == nil {
			return h, err
		}
		is, err := p.RulesIn(after)
		no := fault.As(err)
		switch {
		case err != nil && no == nil:
			return h, err
		case no == nil && reflect.DeepEqual(was, is):
			h.Apart++
		case no != nil:
			h.Short = append(h.Short, Short{Code: p.Code, Why: no.Message})
		default:
			h.count(p, was, is)
		}
	}
	return h, nil
}

func (p Past) gone(c catalog.Catalog) bool {
	for _, ref := range p.About {
		if _, there := c.Entry(ref); !there {
			return true
		}
	}
	return false
}

// count counts one approval by other rules.
func (h *Held) count(p Past, was, is approval.Rules) {
	short, ok := p.short(is)
	if !ok {
		h.Short = append(h.Short, short)
		return
	}
	h.Same++
	if p.Guessed {
		h.Guessed = append(h.Guessed, p.Code)
	}
	old, fresh := p.Ballot, p.Ballot
	old.Rules, fresh.Rules = was, is
	for _, voter := range p.Ballot.Yes {
		if fresh.RecentSignIn(voter) < old.RecentSignIn(voter) {
			h.SignIns = append(h.SignIns, p.Code)
			return
		}
	}
}

// short says why some rules would not have let it be approved.
func (p Past) short(rules approval.Rules) (Short, bool) {
	s := Short{Code: p.Code}
	if p.InAdvance {
		_, not := rules.InAdvance()
		if len(not) > 0 {
			s.Why = not.Names() + " asks people each time."
		}
		return s, len(not) == 0
	}
	if within := rules.Lifetime(); p.Decided.Sub(p.Filed) > within {
		s.Why = fmt.Sprintf("It would have expired after %s, and was approved after %s.", catalog.Lasting(within), catalog.Lasting(p.Decided.Sub(p.Filed)))
		return s, false
	}
	b := p.Ballot
	b.Rules = rules
	for _, no := range b.No {
		if b.Ends(no) {
			s.Why = fmt.Sprintf("The no of %s would have ended it.", no.Name)
			return s, false
		}
	}
	s.Want = b.Missing()
	return s, len(s.Want) == 0
}

// AsThen is somebody with the roles that they held when they voted, where these hold by what is assigned now. One that is not assigned
// to them any more is counted as held everywhere, and said to be guessed.
func AsThen(p access.Principal, roles []access.Role) (then access.Principal, guessed bool) {
	var grants []access.Grant
	for _, role := range roles {
		held := p.Holds(role)
		if len(held) == 0 {
			held, guessed = []access.Grant{{Role: role}}, true
		}
		grants = append(grants, held...)
	}
	return p.With(grants), guessed
}

// Judged are the records without which nobody can tell by which policies the terms would be decided on. Who decides what is decided on
// by the policies of that, whether or not it is still there.
func (t Terms) Judged() []catalog.Ref {
	var refs []catalog.Ref
	for _, r := range t.Records {
		switch r.Kind {
		case catalog.KindPolicy, catalog.KindAssignment, catalog.KindDeputy:
		default:
			refs = append(refs, r.Ref)
		}
	}
	return refs
}
