package identity

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"keyholder/demo/shop/control"
)

// Act is something that somebody did in the consoles, or wanted to do and was refused.
type Act struct {
	At      time.Time `json:"at"`
	Account string    `json:"account"`
	Role    string    `json:"role"`
	Does    string    `json:"does"`
	Refused bool      `json:"refused"`
	Line    string    `json:"line"` // all of it but when and who, to be read
}

const (
	// keptActs bounds how many are remembered, the newest.
	keptActs = 1000
	// actsPerPage is how many one answer has.
	actsPerPage = 20
)

// act lets those do something who have the role at this moment. It is written down before it is answered, refused or not.
func (s *service) act(w http.ResponseWriter, r *http.Request) {
	var a Act
	if err := read(w, r, &a); err != nil || a.Account == "" || a.Does == "" || !slices.Contains(Roles(), a.Role) {
		control.Refuse(w, http.StatusUnprocessableEntity, `the request must be {"account": …, "role": one of the roles, "does": …}`)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a.At = time.Now().UTC()
	a.Refused = !slices.ContainsFunc(s.all, func(m Member) bool { return m.Account == a.Account && m.Role == a.Role && m.holds(a.At) })
	if a.Line = a.Role + ": " + a.Does; a.Refused {
		a.Line = "refused, " + a.Line
	}
	all := append(slices.Clone(s.acts), a)
	all = all[max(0, len(all)-keptActs):]
	if err := s.keep(actsFile, all); err != nil {
		control.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	if s.acts = all; a.Refused {
		control.Refuse(w, http.StatusForbidden, fmt.Sprintf("%s does not have %s", a.Account, a.Role))
		return
	}
	control.WriteJSON(w, http.StatusOK, a)
}

// done is what an account did in a time, some at once: the answer says where the rest is.
func (s *service) done(w http.ResponseWriter, r *http.Request) {
	asked := r.URL.Query()
	from, errF := time.Parse(time.RFC3339, asked.Get("from"))
	until, errU := time.Parse(time.RFC3339, asked.Get("until"))
	if errF != nil || errU != nil || asked.Get("account") == "" {
		control.Refuse(w, http.StatusUnprocessableEntity, "the request must have an account, and from and until as in RFC 3339")
		return
	}
	after, err := time.Parse(time.RFC3339, asked.Get("after"))
	if err != nil && asked.Has("after") {
		control.Refuse(w, http.StatusUnprocessableEntity, "after is what an answer said that it is")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	acts, next := []Act{}, ""
	for _, a := range s.acts {
		if a.Account != asked.Get("account") || a.At.Before(from) || a.At.After(until) || !a.At.After(after) {
			continue
		}
		if len(acts) == actsPerPage {
			asked.Set("after", acts[len(acts)-1].At.Format(time.RFC3339Nano))
			next = "/acts?" + asked.Encode()
			break
		}
		acts = append(acts, a)
	}
	control.WriteJSON(w, http.StatusOK, map[string]any{"acts": acts, "next": next})
}
