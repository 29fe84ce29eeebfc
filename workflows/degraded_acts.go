package workflows

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	"keyholder/internal/degrade"
	"keyholder/internal/fault"
	"keyholder/internal/store"
)

// The waits between two attempts at a degraded mode: what does not switch is tried again until it does, or people decide otherwise.
const (
	modeRetryFirst   = time.Second
	modeRetryLongest = 5 * time.Second
	drainEvery       = time.Second
	drainQuiet       = 3 // looks in a row that find nothing
)

// ModeDo does what the record says is next for a degraded mode, and says what is next then. The intent is committed before anything is
// touched, the outcome after; where it fails it is tried again, and shown, until the record says that something else is next.
func (a *Activities) ModeDo(ctx context.Context, code string) (degrade.Do, error) {
	m, err := a.store.Mode(ctx, code)
	switch do := m.Next(); {
	case fault.KindOf(err) == fault.NotFound:
		return degrade.DoNothing, nil
	case err != nil:
		return "", fmt.Errorf("see where %s stands: %w", code, err)
	case do == degrade.DoAwait || do == degrade.DoNothing:
		return do, nil
	}
	defer aliveEvery(ctx, modeBeat)()
	return a.modeDo(ctx, m)
}

func (a *Activities) modeDo(ctx context.Context, m degrade.Mode) (degrade.Do, error) {
	do := m.Next()
	for wait := modeRetryFirst; ; wait = min(2*wait, modeRetryLongest) {
		attempt, err := a.store.BeginMode(ctx, m.Code, do)
		if fault.KindOf(err) == fault.Conflict {
			m, err = a.store.Mode(ctx, m.Code)
			return m.Next(), err
		}
		if err != nil {
			return "", err
		}
		text, evidence, err := a.modeAct(ctx, attempt)
		if ctx.Err() != nil { // the worker is stopping: the next one looks before it acts
			return "", ctx.Err()
		}
		if err == nil {
			m, err := a.store.ModeDone(ctx, attempt, text, evidence)
			return m.Next(), err
		}
		if m, err = a.store.ModeFailed(ctx, attempt, connector.Words(err), evidence); err != nil || m.Next() != do {
			return m.Next(), err
		}
		if err := pause(ctx, wait); err != nil {
			return "", err
		}
	}
}

func (a *Activities) modeAct(ctx context.Context, attempt store.ModeAttempt) (string, any, error) {
	rule := attempt.Mode.Terms.Rule
	switch attempt.Do {
	case degrade.DoSwitchOn:
		return a.bring(ctx, rule.Switch, attempt, false)
	case degrade.DoSwitchOff:
		return a.bring(ctx, rule.Switch, attempt, true)
	case degrade.DoStop:
		return a.bring(ctx, rule.Stop, attempt, false)
	case degrade.DoResume:
		return a.bring(ctx, rule.Stop, attempt, true)
	case degrade.DoDrain:
		return a.drain(ctx, attempt)
	case degrade.DoAwait, degrade.DoNothing:
	}
	return "", nil, fmt.Errorf("nobody knows how to %q", attempt.Do)
}

// bring has a connector bring a state about, or take it back, and look that it is so.
func (a *Activities) bring(ctx context.Context, act catalog.Act, attempt store.ModeAttempt, back bool) (string, any, error) {
	return a.bringBy(ctx, act, attempt.Mode, attempt.Key(), back)
}

func (a *Activities) bringBy(ctx context.Context, act catalog.Act, m degrade.Mode, key string, back bool) (string, any, error) {
	kind, params, err := a.filled(act, m)
	if err != nil {
		return "", nil, err
	}
	apply := kind.Apply
	if back {
		apply = kind.Undo
	}
	leave, err := a.rooms.Enter(ctx, kind, params)
	if err != nil {
		return "", nil, err
	}
	defer leave()
	evidence, err := apply(ctx, key, params)
	switch {
	case err != nil:
		return "", evidence, err
	case evidence.Already:
		return "it was so already", evidence, nil
	}
	return evidence.Did, evidence, nil
}

func (a *Activities) filled(act catalog.Act, m degrade.Mode) (connector.Connector, connector.Params, error) {
	kind, err := a.connectors.Get(act.Connector)
	if err != nil {
		return nil, nil, err
	}
	params, err := connector.Fill(act.Params, ModeVariables(m))
	return kind, params, err
}

// ModeVariables are what a rule's connectors may refer to.
func ModeVariables(m degrade.Mode) map[string]string {
	return map[string]string{"mode.code": m.Code, "mode.scope": m.Terms.Scope()}
}

// drain works off what was queued, and waits until nothing waits any more and nothing comes after: whoever queues may hear a little later
// that the mode is off. Where something does, it is begun again.
func (a *Activities) drain(ctx context.Context, attempt store.ModeAttempt) (string, any, error) {
	how := attempt.Mode.Terms.Rule.Drain
	empty := drainQuiet // looks that found nothing: it is begun at the first look
	for began := 0; ; {
		queued, seen, err := a.number(ctx, how.Observe, how.Queued, attempt.Mode)
		switch {
		case err != nil:
			return "", seen, err
		case queued < 0:
			return "", seen, fmt.Errorf("%s is %g, which is no length of a queue", how.Queued, queued)
		case queued > 0 && empty > 0 || began == 0:
			text, evidence, err := a.beginDrain(ctx, attempt, began)
			if err != nil && queued > 0 { // what is empty may have been worked off by the last attempt, and does not begin again
				return text, evidence, err
			}
			began, empty = began+1, 0
		case queued > 0:
			empty = 0
		default:
			if empty++; empty >= drainQuiet {
				return "nothing waits any more", seen, nil
			}
		}
		m, err := a.store.ModeWorking(ctx, attempt.Mode.Code, queued)
		if err != nil {
			return "", seen, err
		}
		if m.Next() != degrade.DoDrain {
			return "it goes on after what people want first", seen, nil
		}
		if err := pause(ctx, drainEvery); err != nil {
			return "", seen, err
		}
	}
}

func (a *Activities) beginDrain(ctx context.Context, attempt store.ModeAttempt, again int) (string, any, error) {
	how := attempt.Mode.Terms.Rule.Drain
	key := attempt.Key()
	if again > 0 {
		key += fmt.Sprintf("/%d", again)
	}
	return a.bringBy(ctx, catalog.Act{Connector: how.Connector, Params: how.Params}, attempt.Mode, key, false)
}

// number reads one number by the http connector.
func (a *Activities) number(ctx context.Context, observe json.RawMessage, pointer string, m degrade.Mode) (float64, connector.Observation, error) {
	seen, err := a.observe(ctx, observe, m)
	if err != nil {
		return 0, seen, err
	}
	value, err := numberAt(seen, pointer)
	return value, seen, err
}

func (a *Activities) observe(ctx context.Context, observe json.RawMessage, m degrade.Mode) (connector.Observation, error) {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	kind, err := a.connectors.Get("http")
	if err != nil {
		return connector.Observation{}, err
	}
	params, err := connector.Fill(observe, ModeVariables(m))
	if err != nil {
		return connector.Observation{}, err
	}
	return kind.Observe(ctx, params)
}

// numberAt reads a number out of an answer.
func numberAt(seen connector.Observation, pointer string) (value float64, err error) {
	raw, err := connector.Point(seen, pointer)
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		return 0, fmt.Errorf("%s is %s, which is not a number", pointer, raw)
	}
	return value, nil
}

// ReadExposure reads what runs on a degraded mode. Why it cannot be read stands in the answer.
func (a *Activities) ReadExposure(ctx context.Context, m degrade.Mode) *degrade.Exposure {
	how := m.Terms.Rule.Exposure
	if how.IsZero() {
		return nil
	}
	seen, err := a.observe(ctx, how.Observe, m)
	if err != nil {
		return &degrade.Exposure{Why: connector.Words(err)}
	}
	read := &degrade.Exposure{}
	for _, field := range []struct {
		pointer string
		into    *float64
	}{{how.Orders, &read.Orders}, {how.Money, &read.Money}, {how.Queued, &read.Queued}} {
		if field.pointer == "" {
			continue
		}
		if *field.into, err = numberAt(seen, field.pointer); err != nil {
			return &degrade.Exposure{Why: connector.Words(err)}
		}
	}
	if how.Parts > 0 {
		read.Money /= how.Parts
	}
	return read
}

// Stands looks whether a degraded mode is switched as it should be; nil where nobody can tell.
func (a *Activities) Stands(ctx context.Context, m degrade.Mode) (stands *bool, why string) {
	if m.ByHand() {
		return nil, ""
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	kind, params, err := a.filled(m.Terms.Rule.Switch, m)
	if err != nil {
		return nil, connector.Words(err)
	}
	holds, why, seen := kind.Stands(ctx, params)
	gone := strings.HasPrefix(seen.Status, "404") || strings.HasPrefix(seen.Status, "410")
	if !holds && !gone && (seen.Error != "" || len(seen.Body) == 0) {
		return nil, why // it does not answer, which says nothing of how it is switched
	}
	return &holds, why
}
