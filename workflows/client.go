package workflows

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"keyholder/internal/fault"
	"keyholder/internal/store"
)

// Client is the portal's way to the processes. Every call is a person's act and waits for its outcome.
type Client struct {
	temporal client.Client
	queue    string
}

// NewClient acts on the processes of a task queue.
func NewClient(temporal client.Client, queue string) *Client {
	return &Client{temporal: temporal, queue: queue}
}

// answerWithin bounds how long a person waits for an answer.
const answerWithin = 15 * time.Second

// Decide votes on a request.
func (c *Client) Decide(ctx context.Context, v store.Vote) (store.Outcome, error) {
	return c.update(ctx, v.Code, v.ID, v.Of(), updateDecide, v)
}

// Withdraw takes a request back.
func (c *Client) Withdraw(ctx context.Context, a store.Amend) (store.Outcome, error) {
	return c.update(ctx, a.Code, a.ID, a.Of(), updateWithdraw, a)
}

// Confirm reopens the voting on a request whose plan or policy was published anew.
func (c *Client) Confirm(ctx context.Context, a store.Amend) (store.Outcome, error) {
	return c.update(ctx, a.Code, a.ID, a.Of(), updateConfirm, a)
}

// Command steers a run.
func (c *Client) Command(ctx context.Context, cmd store.Command) (store.Outcome, error) {
	return c.update(ctx, cmd.Code, cmd.ID, cmd.Of(), updateCommand, cmd)
}

// Healthy says whether Temporal answers.
func (c *Client) Healthy(ctx context.Context) error {
	if _, err := c.temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return fmt.Errorf("temporal: %w", err)
	}
	return nil
}

// Start starts the process of a request, of a degraded mode, or of somebody's access. One that runs already looks at the record again.
func (c *Client) Start(ctx context.Context, code string) error {
	if strings.HasPrefix(code, store.ModeCode) {
		return c.startOrLook(ctx, code, DegradedID(code), degradedWorkflow, DegradedInput{Code: code})
	}
	if system, person, ok := store.HolderOf(code); ok {
		return c.startOrLook(ctx, code, code, accessWorkflow, AccessInput{System: system, Person: person})
	}
	_, err := c.temporal.ExecuteWorkflow(ctx, c.options(code), failoverWorkflow, FailoverInput{Code: code})
	if err != nil {
		return fmt.Errorf("start the process of %s: %w", code, err)
	}
	return nil
}

// startOrLook starts a process, or has the one that runs look at the record. Where a worker of this program is idle it takes the first
// task with the answer: a lost site starts hundreds at once.
func (c *Client) startOrLook(ctx context.Context, code, id, process string, in any) error {
	options := c.options(code)
	options.ID = id
	first := options
	first.EnableEagerStart, first.WorkflowExecutionErrorWhenAlreadyStarted = true, true
	first.WorkflowIDConflictPolicy = enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL
	_, err := c.temporal.ExecuteWorkflow(ctx, first, process, in)
	if _, runs := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); !runs {
		if err != nil {
			return fmt.Errorf("start the process of %s: %w", code, err)
		}
		return nil
	}
	if _, err := c.temporal.SignalWithStartWorkflow(ctx, options.ID, signalLook, nil, options, process, in); err != nil {
		return fmt.Errorf("have the process of %s look: %w", code, err)
	}
	return nil
}

func (c *Client) options(code string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID: FailoverID(code), TaskQueue: c.queue, WorkflowTaskTimeout: 2 * time.Second,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		// A process that Temporal has forgotten starts anew and reads off the record where it stands; "once" is the
		// record's business.
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
	}
}

// update carries a person's act to the process, and starts the process where it is not there: the outbox may not have
// been read yet, or Temporal may be a fresh one. Temporal answers an id that comes again with the first answer, so that a
// different act under it is told here.
func (c *Client) update(ctx context.Context, code, id, of, name string, in any) (store.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	handle, err := c.temporal.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: c.temporal.NewWithStartWorkflowOperation(c.options(code), failoverWorkflow, FailoverInput{Code: code}),
		UpdateOptions: client.UpdateWorkflowOptions{
			UpdateID: id, WorkflowID: FailoverID(code), UpdateName: name, Args: []any{in},
			WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
	var out store.Outcome
	if err == nil {
		err = handle.Get(ctx, &out)
	}
	if err != nil {
		return store.Outcome{}, fault.Away("The engine that carries out failovers", fmt.Errorf("%s on %s: %w", name, code, err))
	}
	return out, out.Other(of)
}
