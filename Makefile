# Keyholder. `make help` lists everything.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export GOWORK := off
BIN := $(CURDIR)/bin
DEMO := $(BIN)/keyholder-demo
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -X keyholder/internal/app.Version=$(VERSION)
MODULES := . demo

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

run: demo-binary ## build and start everything: portal, workflow engine, sign-in provider and a shop to fail over
	$(DEMO)

run-parts: demo-binary ## the same, each part in a process of its own
	$(DEMO) run --parts

run-fresh: demo-binary ## forget what the demo knows, and start anew
	$(DEMO) forget
	$(DEMO)

build: ## build the product's one program
	go build -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/keyholder

demo-binary: ## build the demo; the first time takes some minutes, for the workflow server
	@test -x $(DEMO) || echo "Building. The first time takes some minutes: the workflow server is large."
	cd demo && go build -ldflags '$(LDFLAGS)' -o $(DEMO) .

test: needs demo-binary ## all tests of all modules, browser tests included
	KEYHOLDER_TEST_REQUIRE=1 go test $(RACE) ./...
	cd demo && KEYHOLDER_TEST_REQUIRE=1 KEYHOLDER_DEMO_BINARY=$(DEMO) go test -timeout 45m -parallel 3 ./...

# The race detector needs a C compiler.
RACE := $(shell command -v gcc >/dev/null 2>&1 && [ "$$(go env CGO_ENABLED)" = 1 ] && echo -race)

needs: ## install what the tests need on Debian as root; name it elsewhere
	@./tools/needs

bench: needs demo-binary ## speed, each figure against a peer or a limit in the same run; BENCH=name runs one; access-postgres, which takes long, by its whole name only
	cd demo && go run ./bench -demo $(DEMO) -only '$(BENCH)'

catalog-large: ## write a catalogue of a large retailer's size to large.yaml, to try things with: FILE=name
	cd demo && go run ./large/write $(abspath $(or $(FILE),large.yaml))

check: format vet lint workflowcheck fresh ## what must hold before a change goes in

format:
	@out=$$(gofmt -l $$(git ls-files '*.go' | grep -vE '^ent/[^s]|_templ\.go$$')); test -z "$$out" || { echo "not formatted: $$out"; exit 1; }

vet:
	@for m in $(MODULES); do (cd $$m && go vet ./...); done

$(BIN)/golangci-lint $(BIN)/workflowcheck: tools/go.mod
	cd tools && go build -o $(BIN)/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint go.temporal.io/sdk/contrib/tools/workflowcheck
	@touch $(BIN)/golangci-lint $(BIN)/workflowcheck

lint: $(BIN)/golangci-lint ## golangci-lint with the import table
	@for m in $(MODULES); do (cd $$m && $(BIN)/golangci-lint run --config $(CURDIR)/.golangci.yml ./...); done

workflowcheck: $(BIN)/workflowcheck ## workflows do nothing that a replay would do differently
	$(BIN)/workflowcheck ./workflows

generate: ## write everything that is generated
	go generate ./ent
	go tool templ generate -path web/view -log-level warn
	go run ./static/generate

migration: ## write the next migration from ent/schema: make migration NAME=a_few_words
	go run ./migrations/generate -name $(NAME)

fresh: needs generate ## generated code and migrations are what their sources say
	@go run ./migrations/generate -name unwritten
	@git diff --exit-code --stat -- ent web/view static migrations || { echo "generated files are not fresh: run make generate"; exit 1; }
	@out=$$(git ls-files --others --exclude-standard -- ent web/view static migrations); test -z "$$out" || { echo "files that nobody committed: $$out"; exit 1; }

.PHONY: help run run-parts run-fresh build demo-binary test needs bench catalog-large check format vet lint workflowcheck generate migration fresh
