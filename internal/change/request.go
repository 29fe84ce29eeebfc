package change

import (
	"encoding/json"
	"fmt"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/canonical"
	"keyholder/internal/catalog"
)

// Record is one record of the catalogue as the change would have it.
type Record struct {
	catalog.Ref
	Body    json.RawMessage `json:"body,omitempty"` // in canonical form; nothing retires it
	Base    int             `json:"base"`           // the version of the catalogue that it stood since when it was seen; 0 where there was none
	Managed bool            `json:"managed,omitempty"`
	Locked  bool            `json:"locked,omitempty"`
}

// Change is what the record would do to a catalogue.
func (r Record) Change() (catalog.Change, error) {
	if len(r.Body) == 0 {
		return catalog.Change{Ref: r.Ref}, nil
	}
	e, err := catalog.Read(r.Kind, r.Body)
	if err != nil {
		return catalog.Change{}, fmt.Errorf("read %s: %w", r.Ref, err)
	}
	return catalog.Change{Ref: r.Ref, Record: e.Record}, nil
}

// Plan is one plan as the change would have it.
type Plan struct {
	Slug string          `json:"slug"`
	Body json.RawMessage `json:"body"`
	Base int             `json:"base"` // the version that was in force when it was seen; 0 where there was none
}

// Terms are what would be changed. Their digest is what votes are bound to.
type Terms struct {
	Records []Record `json:"records,omitempty"` // by kind and slug
	Plans   []Plan   `json:"plans,omitempty"`
	Rules   string   `json:"rules,omitempty"` // digest of the policies that say who decides
}

// Empty says that nothing would be changed.
func (t Terms) Empty() bool { return len(t.Records) == 0 && len(t.Plans) == 0 }

// Digest names the terms.
func (t Terms) Digest() (string, error) { return canonical.Digest("keyholder/change/1", t) }

// Changes are what the terms would do to a catalogue.
func (t Terms) Changes() ([]catalog.Change, error) {
	changes := make([]catalog.Change, len(t.Records))
	for i, r := range t.Records {
		var err error
		if changes[i], err = r.Change(); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// On is a catalogue with the changes made.
func (t Terms) On(c catalog.Catalog) (catalog.Catalog, error) {
	changes, err := t.Changes()
	if err != nil {
		return c, err
	}
	return c.With(changes)
}

// Words say in a line what would be changed: "change service Checkout and 2 more".
func (t Terms) Words(now catalog.Catalog) string {
	var names []string
	for _, r := range t.Records {
		verb := "change "
		if len(r.Body) == 0 {
			verb = "retire "
		} else if r.Base == 0 {
			verb = "add "
		}
		names = append(names, verb+r.Kind.One()+" "+r.Name(now))
	}
	for _, p := range t.Plans {
		names = append(names, "publish plan "+p.Slug)
	}
	if len(names) == 0 {
		return "change nothing"
	}
	if more := len(names) - 1; more > 0 {
		return fmt.Sprintf("%s and %d more", names[0], more)
	}
	return names[0]
}

// Name is what the record is called, in force or as it would be.
func (r Record) Name(now catalog.Catalog) string {
	if e, ok := now.Entry(r.Ref); ok {
		return e.Name
	}
	if len(r.Body) > 0 {
		if e, err := catalog.Read(r.Kind, r.Body); err == nil {
			return e.Name
		}
	}
	return r.Slug
}

// Of finds what would become of one record.
func (t Terms) Of(ref catalog.Ref) (Record, bool) {
	for _, r := range t.Records {
		if r.Ref == ref {
			return r, true
		}
	}
	return Record{}, false
}

// Request is somebody's wish to change something together.
type Request struct {
	approval.Question
	Terms   Terms // what Digest names
	Why     string
	Source  string // the commit that files came from
	Undoes  int    // the version of the catalogue whose change it would take back; 0 where it would not
	Applied int    // the version of the catalogue that it made; 0 where it made none
}

// Decide adds a vote and counts.
func (r Request) Decide(by access.Principal, d approval.Decision, b approval.Ballot, now time.Time) (Request, error) {
	return r.with(r.Question.Decide(by, d, b, now))
}

// Withdraw takes the request back.
func (r Request) Withdraw(by access.Principal, now time.Time) (Request, error) {
	return r.with(r.Question.Withdraw(by, now))
}

// RunOut closes a request that nobody decided in time.
func (r Request) RunOut(now time.Time) (Request, error) { return r.with(r.Question.RunOut(now)) }

// VoidVotes closes the voting because what it would change, or who decides on it, is not what it was.
func (r Request) VoidVotes() (Request, error) { return r.with(r.Question.VoidVotes()) }

// Confirm reopens the voting on the terms as they are now, whose difference the requester was shown.
func (r Request) Confirm(by access.Principal, now Terms, shown string, at time.Time) (Request, error) {
	digest, err := now.Digest()
	if err != nil {
		return r, err
	}
	next, err := r.with(r.Question.Confirm(by, digest, shown, at))
	if err == nil {
		next.Terms = now
	}
	return next, err
}

func (r Request) with(q approval.Question, err error) (Request, error) {
	r.Question = q
	return r, err
}
