package breakglass

import (
	"strings"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/fault"
)

// LockKind is what a lock freezes.
type LockKind string

// The kinds.
const (
	LockPerson  LockKind = "person"
	LockRole    LockKind = "role" // of one system
	LockSystem  LockKind = "system"
	LockRequest LockKind = "request"
)

// Lock freezes a person, a role, a system or a request at once, and wins over every grant.
type Lock struct {
	ID      string        `json:"id"`
	Kind    LockKind      `json:"kind"`
	Subject string        `json:"subject"`        // the person's id, system/role, the system, or the request's code
	Mail    string        `json:"mail,omitempty"` // of a person: their other accounts are frozen too
	What    string        `json:"what"`           // in words
	Why     string        `json:"why"`
	By      access.Person `json:"by"`
	At      time.Time     `json:"at"`
	Lifted  *Ending       `json:"lifted,omitempty"`
}

// On says whether the lock is on.
func (l Lock) On(now time.Time) bool {
	return !now.Before(l.At) && (l.Lifted == nil || now.Before(l.Lifted.At))
}

// Covers says whether it freezes a grant.
func (l Lock) Covers(g Grant) bool {
	switch l.Kind {
	case LockPerson:
		return g.Holder.Is(l.Subject, l.Mail)
	case LockRole:
		return l.Subject == g.System+"/"+g.Role
	case LockSystem:
		return l.Subject == g.System
	case LockRequest:
		return l.Subject == g.Code
	}
	return true // what nobody knows freezes everything
}

// Freezes says whether any lock is on a grant.
func Freezes(locks []Lock, g Grant, now time.Time) bool {
	for _, l := range locks {
		if l.On(now) && l.Covers(g) {
			return true
		}
	}
	return false
}

// Freeze is a new lock.
func Freeze(by access.Principal, l Lock, now time.Time) (Lock, error) {
	if err := MayRevoke(by); err != nil {
		return l, err
	}
	wrong := fault.Wrong{}
	switch l.Kind {
	case LockPerson, LockRole, LockSystem, LockRequest:
	default:
		wrong.Add("kind", "must be a person, a role, a system or a request")
	}
	if strings.TrimSpace(l.Subject) == "" {
		wrong.Add("subject", "is missing")
	}
	if strings.TrimSpace(l.Why) == "" {
		wrong.Add("note", "Say why you freeze it.")
	}
	l.By, l.At = by.Person(), now
	return l, wrong.Err()
}

// Lift takes the lock off. What is left of a grant holds again.
func (l Lock) Lift(by access.Principal, why string, now time.Time) (Lock, error) {
	switch err := MayRevoke(by); {
	case err != nil:
		return l, err
	case l.Kind == LockPerson && (Holder{ID: l.Subject, Mail: l.Mail}.Is(by.ID, by.Mail) || by.StandsInFor(l.Mail)):
		return l, fault.Refused(RuleLocked, access.Titles(access.Holders(access.RevokeAccess))+" other than whom it freezes", "This freezes you, or whom you stand in for. Somebody else releases it.")
	case l.Lifted != nil:
		return l, fault.Late(RuleEnded, "%s released this already.", l.Lifted.By.Name)
	case strings.TrimSpace(why) == "":
		return l, fault.Wrong{"note": "Say why it is safe to release it."}.Err()
	}
	l.Lifted = &Ending{How: "released", By: by.Person(), At: now, Why: why}
	return l, nil
}
