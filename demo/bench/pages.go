package main

import "context"

func pages(context.Context, options) ([]figure, error) { return nil, nil }
