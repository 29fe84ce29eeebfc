package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"

	"keyholder/demo/large"
	"keyholder/internal/bundle"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: write FILE")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(path string) (err error) {
	f, err := os.Create(path) //nolint:gosec // where whoever runs this wants it
	if err != nil {
		return fmt.Errorf("make the file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	out := bufio.NewWriter(f)
	if err := bundle.Write(out, large.Bundle()); err != nil {
		return err
	}
	return out.Flush()
}
