package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"

	"keyholder/internal/degrade"
)

// lookAgain is how long a process trusts that it is told of what is new: the record is looked at once in a while all the same.
const lookAgain = time.Minute

// Degraded carries one degraded mode from the yes to it to the last item worked off: it does what the record says is next, until
// nothing is.
func Degraded(ctx workflow.Context, in DegradedInput) error {
	looks := workflow.GetSignalChannel(ctx, signalLook)
	next, err := modeNext(ctx, in.Code)
	for err == nil && next != degrade.DoNothing {
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			return workflow.NewContinueAsNewError(ctx, degradedWorkflow, in)
		}
		if next == degrade.DoAwait {
			looks.ReceiveWithTimeout(ctx, lookAgain, nil)
			next, err = modeNext(ctx, in.Code)
			continue
		}
		err = workflow.ExecuteActivity(actOptions(ctx), activityModeDo, ModeInput{in.Code, next}).Get(ctx, &next)
	}
	return errors.Join(err, lastLook(ctx, looks, in))
}

// lastLook goes on in another history where the process was told of something new while it ended.
func lastLook(ctx workflow.Context, looks workflow.ReceiveChannel, in DegradedInput) error {
	if looks.Len() == 0 {
		return nil
	}
	next, err := modeNext(ctx, in.Code)
	if err == nil && next != degrade.DoNothing {
		return workflow.NewContinueAsNewError(ctx, degradedWorkflow, in)
	}
	return err
}

func modeNext(ctx workflow.Context, code string) (next degrade.Do, err error) {
	err = workflow.ExecuteActivity(recordOptions(ctx), activityModeNext, code).Get(ctx, &next)
	return next, err
}
