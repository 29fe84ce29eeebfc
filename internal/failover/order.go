package failover

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// calledWithin is how old a reading may be that calls an order. They come every second; whoever comes back after hours knows nothing
// until they have looked.
const calledWithin = 10 * time.Second

// Called says since when all signals of a standing order have been bad together, if they are; one that does not answer, or that
// nobody has read lately, is not known to be bad.
func Called(o catalog.StandingOrder, readings Readings, now time.Time) (since time.Time, called bool) {
	for _, slug := range o.Signals {
		r := readings[SignalKey(slug)]
		if !r.Bad || r.Stale() || r.BadSince == nil || now.Sub(r.At) > calledWithin {
			return time.Time{}, false
		}
		since = later(since, *r.BadSince)
	}
	return since, len(o.Signals) > 0
}

// OrderTerms are what a standing order would run, without the versions that the store fills in.
func OrderTerms(o catalog.StandingOrder) Terms {
	return Terms{
		Plan: o.Plan, From: o.From, To: o.To, Mode: Emergency, Cause: Cause(o.Cause),
		Ceiling: Ceiling{Kind: CeilingKind(o.CeilingIn), Value: int64(o.Ceiling)},
	}
}

// The rules by which a standing order that is in force does not act.
const (
	RuleOrderYields = "people-before-orders" // what people have decided against is not done, nor asked again, by an order
	RuleOrderFresh  = "order-starts-at-once" // what an order filed starts while what called it lasts, and soon, or people are asked
)

// latestStart is how long after it was filed an order's request may still start by itself: what was seen of the shop before that is
// no reason any more. A worker that takes over from another needs seconds.
const latestStart = 5 * time.Minute

// OrderCase is a standing order with all that says whether it may act by itself now.
type OrderCase struct {
	Order     catalog.StandingOrder
	Approved  *approval.Ballot // counted with the roles that are held now; nil where nobody has approved it as a second person
	Then      catalog.Catalog  // as it was approved
	Situation Situation        // as of now
	LastRun   time.Time        // when the same data was last moved; zero where it was not
	Stated    Stated           // what people say is wrong, where the order takes it to be something else
	Against   Against          // what people decided since the order was called
}

// Stated is an open incident about what an order would move that states another known cause; nothing where there is none.
type Stated struct {
	Incident string
	Cause    Cause
}

// Contradicts says whether an incident's cause is known, and not what an order takes it to be.
func (c Cause) Contradicts(o catalog.StandingOrder) bool {
	return c != "" && c != CauseUnknown && c != Cause(o.Cause)
}

// Against is a request to move the same data that people rejected or withdrew; nothing where there is none.
type Against struct {
	Code  string
	State approval.State
	At    time.Time
}

// whoRecovers can do something where an order does nothing.
const whoRecovers = "whoever may request a recovery"

// Yields refuses to act and to ask. Who has just said no is not asked the same again by a machine, and perhaps is about to ask for
// something else, which an open question about the same data would keep them from.
func (c OrderCase) Yields() error {
	if a := c.Against; a.Code != "" {
		return fault.Refused(RuleOrderYields, whoRecovers, "people decided against it at %s, when %s was %s", approval.Clock(a.At), a.Code, a.State)
	}
	if err := fault.As(c.Stated.Cause.MoveHelps()); err != nil {
		return fault.Refused(err.Rule, whoRecovers, "%s says: %s. %s", c.Stated.Incident, c.Stated.Cause.Title(), err.Message)
	}
	return c.Situation.Sensible()
}

// Obstacle says why a standing order may not act by itself, so that people are asked instead; nothing where it may. Its end and its
// revocation are no obstacles: then there is no order.
func (c OrderCase) Obstacle() (string, error) {
	for _, obstacle := range []func() (string, error){c.mistaken, c.unapproved, c.changed, c.untimely, c.asksPeople} {
		if why, err := obstacle(); err != nil || why != "" {
			return why, err
		}
	}
	return c.Situation.Hopeless(), nil
}

// Late says why a request that the order filed earlier, and that has not started since, must not start by itself any more, so that
// people are asked instead; nothing where it may.
func (c OrderCase) Late(filed time.Time) (string, error) {
	since, called := Called(c.Order, c.Situation.Readings, c.Situation.Now)
	switch now := c.Situation.Now; {
	case !called:
		return "what called it is not seen any more", nil
	case since.After(filed):
		return "its signals were good in between", nil
	case now.Sub(filed) > latestStart:
		return fmt.Sprintf("it was called at %s, and nobody was there to start it for more than %s", approval.Clock(filed), catalog.Lasting(latestStart)), nil
	}
	return c.Obstacle()
}

// mistaken says whether people know of another cause than the order assumes: the cause says who must vote.
func (c OrderCase) mistaken() (string, error) {
	if c.Stated.Incident == "" {
		return "", nil
	}
	return fmt.Sprintf("%s says: %s. The order is for another cause: %s", c.Stated.Incident, c.Stated.Cause.Title(), Cause(c.Order.Cause).Title()), nil
}

// unapproved says whether those who approved the order still could.
func (c OrderCase) unapproved() (string, error) {
	if c.Approved == nil {
		return "nobody has approved the order as a second person", nil
	}
	for _, w := range c.Approved.Missing() {
		return fmt.Sprintf("not enough of those who approved the order hold their role any more: %s wants %s", w.Policy, access.Titles(w.Roles)), nil
	}
	people := c.Approved.Yes
	if !c.Approved.Faceless {
		people = append([]access.Principal{c.Approved.Requester}, people...)
	}
	for _, p := range people {
		if len(p.Roles) == 0 { // who left is nobody's word, even where others are enough
			return p.Name + ", who proposed or approved the order, holds no role any more", nil
		}
	}
	return "", nil
}

// changed says whether what would run, where, and by whose leave, is not what was approved.
func (c OrderCase) changed() (string, error) {
	o, t := c.Order, c.Situation.Terms
	switch {
	case o.PlanVersion != t.PlanVersion:
		return fmt.Sprintf("version %d of the plan was approved, and version %d is in force", o.PlanVersion, t.PlanVersion), nil
	case !SameServices(o.Services, t.Services):
		return "the plan moves other services than the order names", nil
	}
	return OrderShift(o, t, c.Then, c.Situation.Catalog)
}

// OrderShift says what of another catalogue makes an order that was approved on one ask people; nothing where it still may act. The
// terms are what it would run.
func OrderShift(o catalog.StandingOrder, t Terms, then, now catalog.Catalog) (string, error) {
	if !reflect.DeepEqual(t.ground(then), t.ground(now)) || !reflect.DeepEqual(callers(o, then), callers(o, now)) {
		return "what the run stands on is described otherwise than when the order was approved", nil
	}
	was, err := orderRules(then, o)
	if err != nil {
		return "", err
	}
	is, err := orderRules(now, o)
	if err == nil && was != is {
		return "who decides is not who it was when the order was approved", nil
	}
	return "", err
}

// callers are the signals that call an order, of whichever services.
func callers(o catalog.StandingOrder, c catalog.Catalog) []catalog.Signal {
	signals := make([]catalog.Signal, len(o.Signals))
	for i, slug := range o.Signals {
		signals[i], _ = c.Signal(slug)
	}
	return signals
}

// orderRules is the digest of the policies by which an order is approved; nothing where none allows it.
func orderRules(c catalog.Catalog, o catalog.StandingOrder) (string, error) {
	rules, err := approval.OrderRules(c, o)
	if fault.As(err) != nil {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return rules.Digest()
}

func (c OrderCase) untimely() (string, error) {
	now := c.Situation.Now
	if name, forbidden := c.Situation.Catalog.ForbiddenBy(c.Order, now); forbidden {
		return "it may not act by itself now: " + name, nil
	}
	if again := c.LastRun.Add(c.Order.Apart.D()); !c.LastRun.IsZero() && now.Before(again) {
		return fmt.Sprintf("the same data was moved at %s, and it holds down until %s", approval.Clock(c.LastRun), approval.Clock(again)), nil
	}
	return "", nil
}

// asksPeople says whether some policy that applies now is not met in advance.
func (c OrderCase) asksPeople() (string, error) {
	rules, err := approval.RulesOf(c.Situation.Catalog, c.Situation.Terms.Decided(c.Situation.Now))
	if f := fault.As(err); f != nil {
		return f.Message, nil
	}
	if err != nil {
		return "", err
	}
	if _, not := rules.InAdvance(); len(not) > 0 {
		return not.Names() + " asks people each time", nil
	}
	return "", nil
}

// SameServices says whether two lists name the same, in whatever order.
func SameServices(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
