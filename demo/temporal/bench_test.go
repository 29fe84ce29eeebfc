package temporal

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

func nothing(context.Context) error { return nil }

// steps runs n empty activities one after another.
func steps(ctx workflow.Context, n int) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 5 * time.Second})
	for range n {
		if err := workflow.ExecuteActivity(ctx, nothing).Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkStep reports what one activity in a row costs, and a whole workflow of one.
func BenchmarkStep(b *testing.B) {
	ports, _ := startInProcess(b, Config{Dir: b.TempDir()})
	c := dial(b, ports)
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflow(steps)
	w.RegisterActivity(nothing)
	if err := w.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(w.Stop)
	var first, step []float64
	for b.Loop() {
		few, many := timeSteps(b, c, 20), timeSteps(b, c, 40)
		step = append(step, (many-few).Seconds()*1000/20)
		first = append(first, timeSteps(b, c, 1).Seconds()*1000)
	}
	b.ReportMetric(median(step), "ms/step")
	b.ReportMetric(median(first), "ms/first")
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

func timeSteps(b *testing.B, c client.Client, n int) time.Duration {
	began := time.Now()
	options := client.StartWorkflowOptions{ID: fmt.Sprint("steps-", n), TaskQueue: queue}
	run, err := c.ExecuteWorkflow(b.Context(), options, steps, n)
	if err != nil {
		b.Fatal(err)
	}
	if err := run.Get(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}
