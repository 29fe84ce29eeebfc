package temporal

import (
	"context"
	"errors"
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const (
	askEvery = 10 * time.Millisecond
	probe    = "keyholder-ready-probe" // a workflow and a task queue that do not exist
)

// awaitReady returns once each part of the server has answered for the namespace.
func awaitReady(ctx context.Context, c Config) (err error) {
	conn, err := grpc.NewClient(c.Address(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("dial temporal: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	client := workflowservice.NewWorkflowServiceClient(conn)
	limit, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		last := answers(limit, client, c.Namespace)
		if last == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil // stopped while starting, which is no failure
		case <-limit.Done():
			return fmt.Errorf("temporal not ready after %s: %w", readyWithin, last)
		}
	}
}

// answers asks the frontend for the namespace, matching for a task queue, and the history shard for a workflow.
func answers(ctx context.Context, client workflowservice.WorkflowServiceClient, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, err := client.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	if err != nil {
		return fmt.Errorf("frontend: %w", err)
	}
	_, err = client.DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace: namespace, TaskQueue: &taskqueuepb.TaskQueue{Name: probe},
		TaskQueueType: enumspb.TASK_QUEUE_TYPE_WORKFLOW,
	})
	if err != nil {
		return fmt.Errorf("matching: %w", err)
	}
	_, err = client.DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{
		Namespace: namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: probe},
	})
	if _, absent := errors.AsType[*serviceerror.NotFound](serviceerror.FromStatus(status.Convert(err))); !absent {
		return fmt.Errorf("history: %w", err)
	}
	return nil
}
