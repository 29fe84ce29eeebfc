package failover

import (
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/fault"
)

// ExceptionKind is a way past a rule that two people may take.
type ExceptionKind string

// The exceptions.
const (
	OverrideGate  ExceptionKind = "override-gates" // go on although a gate does not hold
	OverrideFence ExceptionKind = "override-fence" // promote although the old writer is not proved fenced
	AcceptLoss    ExceptionKind = "accept-loss"    // go on although the loss exceeds the ceiling
	SkipStep      ExceptionKind = "skip"           // leave a failed step out
	Waive         ExceptionKind = "waive"          // an obligation
)

// Title is the exception as people say it.
func (k ExceptionKind) Title() string {
	return map[ExceptionKind]string{
		OverrideGate: "Override the gates that do not hold", OverrideFence: "Promote without proof of the fence",
		AcceptLoss: "Accept the greater loss", SkipStep: "Skip the failed step", Waive: "Waive the obligation",
	}[k]
}

// Exception is one person's proposal to go past a rule, and another's confirmation.
type Exception struct {
	ID          string          `json:"id"`
	Kind        ExceptionKind   `json:"kind"`
	Target      string          `json:"target"`            // the step or obligation it is about
	Attempt     int             `json:"attempt,omitempty"` // of the step: what another attempt came to is another matter
	Reason      string          `json:"reason"`
	By          access.Person   `json:"by"`
	At          time.Time       `json:"at"`
	Others      []access.Person `json:"others,omitempty"` // who confirmed before the last one that the policy wants
	Confirmed   *access.Person  `json:"confirmed,omitempty"`
	ConfirmedAt *time.Time      `json:"confirmed_at,omitempty"`
	Until       *time.Time      `json:"until,omitempty"` // it lapses then; those proposed before there was an end have none
	Refused     *access.Person  `json:"refused,omitempty"`
	RefusedAt   *time.Time      `json:"refused_at,omitempty"`
	Refusal     string          `json:"refusal,omitempty"` // why
}

// State is where the exception stands with the people who decide on it.
func (x Exception) State(now time.Time) approval.State {
	switch {
	case x.ConfirmedAt != nil:
		return approval.Approved
	case x.RefusedAt != nil:
		return approval.Rejected
	case !x.waits(now):
		return approval.Expired
	}
	return approval.Requested
}

// waits says that nobody has decided on the exception, and that there is still time to.
func (x Exception) waits(now time.Time) bool {
	return x.ConfirmedAt == nil && x.RefusedAt == nil && (x.Until == nil || now.Before(*x.Until))
}

// Code is what the second person types to confirm: it ties the hand to this exception and no other.
func (x Exception) Code() string {
	return fmt.Sprintf("%04d", crc32.ChecksumIEEE([]byte(x.ID))%10000)
}

// The rules of exceptions.
const (
	RuleNotSkippable   = "fence-before-promote" // fence, loss and promotion are never left out
	RuleGateStands     = "gate-stands"          // this gate may not be overridden
	RuleNoReturn       = "no-return"            // no abort after the first write at the target
	RuleBeforeNoReturn = "before-no-return"     // before it a run is aborted, not given up
	RuleSteer          = "steer"                // only those with command of runs
)

// Proposable lists the exceptions that the run's state calls for.
func (r Run) Proposable() []ExceptionKind {
	step, _ := r.At()
	switch {
	case r.State == Blocked && r.Wait == WaitGates:
		return []ExceptionKind{OverrideGate}
	case r.State == Paused && r.Wait == WaitFence:
		return []ExceptionKind{OverrideFence}
	case r.State == Paused && r.Wait == WaitLoss:
		return []ExceptionKind{AcceptLoss}
	case r.State == Paused && r.Wait == WaitStep && skippable(step.Purpose):
		return []ExceptionKind{SkipStep}
	case r.State == Recovered:
		return []ExceptionKind{Waive}
	}
	return nil
}

func skippable(p Purpose) bool { return p == ActStep || p == DrainStep }

// standsFor says that an exception is about what the run waits for now: the same attempt of the same step, or an
// obligation that is still owed.
func (r Run) standsFor(x Exception) bool {
	if !slices.Contains(r.Proposable(), x.Kind) {
		return false
	}
	if x.Kind == Waive {
		o, ok := r.Obligation(ObligationKind(x.Target))
		return ok && o.State == Owed
	}
	step, ok := r.At()
	return ok && x.Target == step.Slug && x.Attempt == step.Attempt
}

// pending finds the exception that waits for its second person, of a kind and target.
func (r Run) pending(k ExceptionKind, target string, now time.Time) bool {
	return slices.ContainsFunc(r.PendingExceptions(now), func(x Exception) bool { return x.Kind == k && x.Target == target })
}

// Propose asks for an exception. standing names the failing gates that may not be overridden.
func (r Run) Propose(x Exception, by access.Principal, now time.Time) (Run, error) {
	if !by.May(access.Steer) {
		return r, fault.Refused(RuleSteer, access.Titles(access.Holders(access.Steer)), "Your role does not steer runs.")
	}
	if !slices.Contains(r.Proposable(), x.Kind) {
		return r, fault.Late("state", "This is %s; %q is not called for.", r.State.Words(), x.Kind.Title())
	}
	if x.Reason == "" {
		return r, fault.Wrong{"reason": "Say why; the second person and the auditor read it."}.Err()
	}
	if x.Kind == Waive {
		if o, ok := r.Obligation(ObligationKind(x.Target)); !ok || o.State != Owed {
			return r, fault.Late("state", "This obligation is not owed any more.")
		}
	} else {
		step, _ := r.At()
		x.Target, x.Attempt = step.Slug, step.Attempt
	}
	if r.pending(x.Kind, x.Target, now) {
		return r, fault.Late(approval.RuleOneVote, "This has been proposed already and waits for a second person.")
	}
	x.By, x.At = by.Person(), now
	r.Exceptions = append(slices.Clone(r.Exceptions), x)
	return r, nil
}

// Decided is what the exception is to policies and scopes.
func (x Exception) Decided(t Terms) approval.About {
	about := t.Decided(x.At)
	if about.Action = catalog.ActOverride; x.Kind == Waive {
		about.Action = catalog.ActWaiver
	}
	return about
}

// MayConfirm is the rule by which another person confirms an exception.
func (r Run) MayConfirm(x Exception, by access.Principal, b approval.Ballot, now time.Time) error {
	if err := x.mayConfirm(by, b, now); err != nil {
		return err
	}
	return approval.Recent(by, b.RecentSignIn(by), now, "Confirming")
}

// mayConfirm is MayConfirm without the age of the sign-in.
func (x Exception) mayConfirm(by access.Principal, b approval.Ballot, now time.Time) error {
	if x.ConfirmedAt != nil {
		return fault.Late(approval.RuleDecided, "Already confirmed by %s at %s.", x.Confirmed.Name, approval.Clock(*x.ConfirmedAt))
	}
	if x.RefusedAt != nil {
		return fault.Late(approval.RuleDecided, "Already refused by %s at %s. Where it is still called for, it can be proposed again.", x.Refused.Name, approval.Clock(*x.RefusedAt))
	}
	if !x.waits(now) {
		return fault.Late(approval.RuleExpiry, "This ran out at %s without a second person. Silence is no. Where it is still called for, it can be proposed again.", approval.Clock(*x.Until))
	}
	return b.MayVote(by)
}

// Exception finds an exception by its id.
func (r Run) Exception(id string) (Exception, error) {
	i := slices.IndexFunc(r.Exceptions, func(x Exception) bool { return x.ID == id })
	if i < 0 {
		return Exception{}, fault.Missing("exception", id)
	}
	return r.Exceptions[i], nil
}

// Confirm is the second person's yes; it takes effect at once.
func (r Run) Confirm(id, code string, by access.Principal, b approval.Ballot, now time.Time) (Run, error) {
	x, err := r.Exception(id)
	if err != nil {
		return r, err
	}
	if err := r.MayConfirm(x, by, b, now); err != nil {
		return r, err
	}
	if !r.standsFor(x) {
		return r, fault.Late("state", "The run has gone on since this was proposed; it is %s. Where it is still called for, propose it again.", r.State.Words())
	}
	if code != x.Code() {
		return r, fault.Wrong{"code": "Type the four digits that stand beside the reason."}.Err()
	}
	who := by.Person()
	if b.Yes = append(slices.Clip(b.Yes), by); len(b.Missing()) > 0 {
		return r.withException(id, func(x *Exception) { x.Others = append(slices.Clone(x.Others), who) }), nil
	}
	return r.withException(id, func(x *Exception) { x.Confirmed, x.ConfirmedAt = &who, &now }).take(x, now)
}

// Refuse is another person's no, which ends the proposal: going past a rule takes everybody who was asked.
func (r Run) Refuse(id, why string, by access.Principal, b approval.Ballot, now time.Time) (Run, error) {
	x, err := r.Exception(id)
	if err != nil {
		return r, err
	}
	if err := r.MayConfirm(x, by, b, now); err != nil {
		return r, err
	}
	if why == "" {
		return r, fault.Wrong{"refusal": "Say why you refuse, so that they know what to do instead."}.Err()
	}
	who := by.Person()
	return r.withException(id, func(x *Exception) { x.Refused, x.RefusedAt, x.Refusal = &who, &now, why }), nil
}

// EndsAt lets a proposed exception lapse at some time.
func (r Run) EndsAt(id string, until time.Time) Run {
	return r.withException(id, func(x *Exception) { x.Until = &until })
}

func (r Run) withException(id string, change func(*Exception)) Run {
	r.Exceptions = slices.Clone(r.Exceptions)
	for i := range r.Exceptions {
		if r.Exceptions[i].ID == id {
			change(&r.Exceptions[i])
		}
	}
	return r
}

// take gives a confirmed exception its effect.
func (r Run) take(x Exception, now time.Time) (Run, error) {
	at := r.current()
	switch x.Kind {
	case OverrideGate:
		r = r.past(at, StepSkipped, "overridden: "+x.Reason, now)
		r.Wait, r.Why = WaitNone, ""
		return r.moved(OverrideGates)
	case OverrideFence:
		r.Times.Fenced = &now
		return r.past(at, StepSkipped, "not proved fenced, overridden: "+x.Reason, now).resume(now)
	case AcceptLoss:
		return r.past(at, StepMarked, "greater loss accepted: "+x.Reason, now).resume(now)
	case SkipStep:
		return r.past(at, StepSkipped, "skipped: "+x.Reason, now).resume(now)
	case Waive:
		return r.settle(ObligationKind(x.Target), now, func(o *Obligation) {
			o.State, o.MetAt, o.Detail = Waived, &now, "waived: "+x.Reason
		})
	}
	return r, fault.Missing("kind of exception", string(x.Kind))
}

func (r Run) past(i int, s StepState, detail string, now time.Time) Run {
	return r.withStep(i, func(step *RunStep) { step.State, step.EndedAt, step.Detail = s, &now, detail })
}
