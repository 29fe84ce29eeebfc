package breakglass

import (
	"strings"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// Holder is a person who has access, as the record names them.
type Holder struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Mail string `json:"mail,omitempty"` // verified
}

// Is says whether two accounts are of one person.
func (h Holder) Is(id, mail string) bool {
	return h.ID == id || h.Mail != "" && strings.EqualFold(h.Mail, mail)
}

// Person is the holder as an actor.
func (h Holder) Person() access.Person { return access.Person{ID: h.ID, Name: h.Name} }

// How is how access ended before its time.
type How string

// The ways.
const (
	Returned How = "given back"
	Revoked  How = "revoked"
	RunOver  How = "ended with its run"
	Never    How = "never given"
)

// Ending is by whom, when and why access ended before its time.
type Ending struct {
	How How           `json:"how"`
	By  access.Person `json:"by"`
	At  time.Time     `json:"at"`
	Why string        `json:"why,omitempty"`
}

// Grant is access for a time. Its times are absolute and none is ever cleared; until it has been given, each attempt to give it moves
// from and until on, so that the clock starts when access is given.
type Grant struct {
	ID     string `json:"id"`
	Code   string `json:"code"` // of its request
	System string `json:"system"`
	Role   string `json:"role"`
	Holder Holder `json:"holder"`
	Run    string `json:"run,omitempty"` // with which it ends
	Bypass bool   `json:"bypass,omitempty"`

	Began     time.Time        `json:"began"` // its holder's act
	Length    catalog.Duration `json:"length"`
	Cap       catalog.Duration `json:"cap"`       // of uninterrupted access
	LapsesAt  time.Time        `json:"lapses_at"` // when it is given up where it could not be given
	From      time.Time        `json:"from"`
	Until     time.Time        `json:"until"`
	Tried     bool             `json:"tried,omitempty"`   // an attempt to give it was begun
	Touched   bool             `json:"touched,omitempty"` // and may have had an effect, though it was not read back
	Given     *time.Time       `json:"given,omitempty"`   // read back
	Ended     *Ending          `json:"ended,omitempty"`   // before its time
	Removed   *time.Time       `json:"removed,omitempty"`
	Confirmed *time.Time       `json:"confirmed,omitempty"` // read back
	Covered   string           `json:"covered,omitempty"`   // what still covers the role at the moment it was confirmed

	ReviewWithin catalog.Duration `json:"review_within"`
	Reviewers    []access.Role    `json:"reviewers"`
	Objects      []access.Object  `json:"objects,omitempty"`   // that the system belonged to when it began
	Account      string           `json:"account,omitempty"`   // as the system called the holder
	Logged       bool             `json:"logged,omitempty"`    // it was described, when it began, how what is done is read
	Statement    string           `json:"statement,omitempty"` // of what was done, by its holder
	Stated       *time.Time       `json:"stated,omitempty"`    // first
	Activity     *Activity        `json:"activity,omitempty"`  // what was done, by the system
	Unread       *Trouble         `json:"unread,omitempty"`    // why that could not be read yet
	Review       *Review          `json:"review,omitempty"`

	Version int `json:"-"` // of the record, for guarded updates
}

// End is when the access ends, or ended.
func (g Grant) End() time.Time {
	if g.Ended != nil && g.Ended.At.Before(g.Until) {
		return g.Ended.At
	}
	return g.Until
}

// Ends says whether it has ended.
func (g Grant) Ends(now time.Time) bool { return !now.Before(g.End()) }

// Holds says whether it gives access now, locks aside.
func (g Grant) Holds(now time.Time) bool { return !now.Before(g.From) && !g.Ends(now) }

// Attempt moves the clock of what has not been given yet to now: it starts when access is given. Where an earlier attempt may have had
// an effect the clock has started, and stays. What could not be given in time is given up.
func (g Grant) Attempt(beside []Grant, untouched bool, now time.Time) Grant {
	if g.Given != nil || g.Ended != nil {
		return g
	}
	if g.Tried && !untouched {
		g.Touched = true
		return g
	}
	lasts := g.lasts(beside, now)
	if lasts <= 0 || now.After(g.LapsesAt) && now.After(g.Began.Add(g.Length.D())) {
		g.Ended = &Ending{How: Never, By: g.Holder.Person(), At: now, Why: "it could not be given in time"}
		return g
	}
	g.From, g.Until, g.Tried = now, now.Add(lasts), true
	return g
}

// lasts is how long it would last from now on: uninterrupted access of one person to one role is never longer than the cap.
func (g Grant) lasts(beside []Grant, now time.Time) time.Duration {
	return min(g.Length.D(), g.since(beside, now).Add(g.Cap.D()).Sub(now))
}

// since is from when on the holder has had the role without a break until now.
func (g Grant) since(beside []Grant, now time.Time) time.Time {
	since := now
	for again := true; again; {
		again = false
		for _, b := range beside {
			if b.ID != g.ID && b.prolongs(g) && b.From.Before(since) && !b.End().Before(since) {
				since, again = b.From, true
			}
		}
	}
	return since
}

func (g Grant) end(how How, by access.Person, why string, now time.Time) (Grant, error) {
	if g.Ended != nil || g.Ends(now) && g.Given != nil { // what was not given yet is given later, unless somebody ends it
		return g, fault.Late(RuleEnded, "This ended at %s.", approval.Clock(g.End()))
	}
	g.Ended = &Ending{How: how, By: by, At: now, Why: why}
	return g, nil
}

// Return is the holder's giving it back.
func (g Grant) Return(by access.Principal, now time.Time) (Grant, error) {
	if by.ID != g.Holder.ID {
		return g, fault.Refused(RuleHolder, g.Holder.Name, "%s has this and gives it back.", g.Holder.Name)
	}
	return g.end(Returned, by.Person(), "", now)
}

// MayRevoke is the rule by which somebody takes access from others, freezes and releases.
func MayRevoke(by access.Principal) error {
	if by.May(access.RevokeAccess) {
		return nil
	}
	return fault.Refused("permission:"+string(access.RevokeAccess), access.Titles(access.Holders(access.RevokeAccess)), "Your role does not take access from others.")
}

// Revoke takes it from its holder.
func (g Grant) Revoke(by access.Principal, why string, now time.Time) (Grant, error) {
	if err := MayRevoke(by); err != nil {
		return g, err
	}
	if strings.TrimSpace(why) == "" {
		return g, fault.Wrong{"note": "Say why you take it back."}.Err()
	}
	return g.end(Revoked, by.Person(), why, now)
}

// WithRun ends it with its run.
func (g Grant) WithRun(by access.Person, now time.Time) (Grant, error) {
	return g.end(RunOver, by, "run "+g.Run+" is over", now)
}

// ReadBack notes what was seen at the system, after it was brought to what is wanted: given where the role is there, gone where the
// grant has ended. covers names what still covers the role.
func (g Grant) ReadBack(there bool, covers string, now time.Time) Grant {
	if there && g.Holds(now) && g.Given == nil {
		g.Given = &now
	}
	if g.Ends(now) && (!there || covers != "") && g.Confirmed == nil {
		g.Removed, g.Confirmed, g.Covered = &now, &now, covers
	}
	return g
}

// Open says that something is still to be done or watched at the system.
func (g Grant) Open() bool { return g.Confirmed == nil }

// Used says whether there may have been a use to look at.
func (g Grant) Used() bool { return g.Given != nil || g.Touched }

// Blocks refuses the next use: where something is frozen, and where an earlier use by the same person or on the same system has not been
// looked at.
func (p Past) Blocks(next Grant, now time.Time) error {
	for _, l := range p.Locks {
		if l.On(now) && l.Covers(next) {
			return fault.Refused(RuleLocked, access.Titles(access.Holders(access.RevokeAccess)), "%s has been frozen since %s, by %s: %s", l.What, approval.Clock(l.At), l.By.Name, l.Why)
		}
	}
	since := next.since(p.Grants, now)
	for _, g := range p.Grants {
		if g.Open() && g.System == next.System && g.Holder.ID != next.Holder.ID && g.Holder.Is(next.Holder.ID, next.Holder.Mail) {
			return fault.Refused(RuleOneAccount, g.Holder.Name+", under the account that has it",
				"You have %s there by %s, under another account of yours, or it is not seen to be gone yet. One person has access under one account at a time.", g.Role, g.Code)
		}
		if g.prolongs(next) && !g.End().Before(since) {
			continue // the use goes on, and is prolonged
		}
		if g.ID != next.ID && g.Code != next.Code && g.Unreviewed(now) && (g.System == next.System || g.Holder.Is(next.Holder.ID, next.Holder.Mail)) {
			return fault.Refused(RuleUnreviewed, access.Titles(g.Reviewers)+" other than "+g.Holder.Name+", by reviewing "+g.Code,
				"%s of %s ended at %s, and nobody has reviewed it. An unreviewed use blocks the next by the same person or on the same system.", g.Code, g.Holder.Name, approval.Clock(g.End()))
		}
	}
	return nil
}

// prolongs says whether two grants give one person the same.
func (g Grant) prolongs(o Grant) bool {
	return g.Role == o.Role && g.System == o.System && g.Holder.Is(o.Holder.ID, o.Holder.Mail)
}
