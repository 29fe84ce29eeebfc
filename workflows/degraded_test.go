package workflows

import (
	"context"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"keyholder/internal/degrade"
)

// degradedRun carries out a degraded mode whose record says these things are next, one at each look.
func degradedRun(t *testing.T, says ...degrade.Do) (env *testsuite.TestWorkflowEnvironment, looks *int) {
	t.Helper()
	env = new(testsuite.WorkflowTestSuite).NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	env.RegisterWorkflowWithOptions(Degraded, workflow.RegisterOptions{Name: degradedWorkflow})
	looks = new(int)
	env.RegisterActivityWithOptions(func(_ context.Context, _ string) (degrade.Do, error) {
		next := says[min(*looks, len(says)-1)]
		*looks++
		return next, nil
	}, activity.RegisterOptions{Name: activityModeDo})
	return env, looks
}

func TestAProcessLooksAgainWhenItIsToldAndWhenItIsNot(t *testing.T) {
	env, looks := degradedRun(t, degrade.DoAwait, degrade.DoAwait, degrade.DoNothing)
	told := env.Now().Add(3 * time.Minute)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(signalLook, nil) }, 3*time.Minute)
	began := env.Now()
	env.ExecuteWorkflow(degradedWorkflow, DegradedInput{Code: "DG-1"})
	if err := env.GetWorkflowError(); err != nil || *looks != 3 {
		t.Errorf("%d looks, %v", *looks, err)
	}
	if took := env.Now().Sub(began); took < lookAgain || env.Now().Before(told) {
		t.Errorf("it looked again after %s", took)
	}
}

func TestWhatAProcessIsToldWhileItEndsIsNotLost(t *testing.T) {
	env, looks := degradedRun(t, degrade.DoNothing, degrade.DoNothing)
	env.SetOnActivityStartedListener(func(*activity.Info, context.Context, converter.EncodedValues) {
		if *looks == 0 {
			env.SignalWorkflow(signalLook, nil)
		}
	})
	env.ExecuteWorkflow(degradedWorkflow, DegradedInput{Code: "DG-1"})
	if err := env.GetWorkflowError(); err != nil || *looks != 2 {
		t.Errorf("told while it looked for the last time, it looked %d times: %v", *looks, err)
	}
}
