# One target a line in `make help`: what follows ## is its description.

GO            ?= go
FUZZTIME      ?= 20s
COUNT         ?= 6
# Statements of the product that the tests reach, in percent. It only goes up.
COVERAGE      ?= 80
# The race detector, but not in SQLite's own code: that is C which was translated, and
# works on memory that the detector does not watch, at five times the cost.
RACE          := -race -gcflags=modernc.org/sqlite/lib=-race=false
# How many parallel tests of a package run at once: much of their time is waiting.
PARALLEL      ?= 3
# A directory with Go vulnerability data, where the public one is out of reach.
VULNDB        ?=

# Tools are run at these versions and stay out of go.mod.
GOFUMPT       := $(GO) run mvdan.cc/gofumpt@v0.12.0
GOIMPORTS     := $(GO) run golang.org/x/tools/cmd/goimports@v0.52.0
GOLANGCI_LINT := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK   := $(GO) run golang.org/x/vuln/cmd/govulncheck@v1.1.4

.PHONY: help run quick test check format lint cover bench micro fuzz browser guards golden vuln programs

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## serve the demo on http://localhost:8080/demo/
	$(GO) run ./cmd/doorward serve

quick: ## vet and the short tests; installs nothing
	$(GO) vet ./...
	$(GO) test -short ./...

test: programs ## all tests, with the race detector, in random order
	scripts/go-test.sh $(RACE) -shuffle=on -parallel $(PARALLEL) -timeout 25m ./...

check: format lint cover ## what a change must pass: format, lint, all tests, coverage floor

format: ## say which files are not formatted
	@out=$$($(GOFUMPT) -l . && $(GOIMPORTS) -l .); test -z "$$out" || { echo "not formatted:"; echo "$$out"; exit 1; }

lint: ## golangci-lint, with the import table
	$(GOLANGCI_LINT) run ./...

cover: programs ## all tests, and hold the coverage floor
	scripts/go-test.sh $(RACE) -shuffle=on -parallel $(PARALLEL) -timeout 25m -coverpkg=$$($(GO) list ./... | grep -v -e /bench -e /internal/ | paste -sd, -) -coverprofile=coverage.out ./...
	@$(GO) tool cover -func=coverage.out | awk -v floor=$(COVERAGE) '/^total:/ { \
		printf "coverage %s, at least %s%%\n", $$3, floor; if ($$3 + 0 < floor) exit 1 }'

bench: ## doorward beside the least that can be done; takes minutes, wants a quiet machine
	$(GO) run ./bench

micro: ## benchmarks of single functions with allocations, COUNT times each, for benchstat
	$(GO) test -run '^$$' -bench . -benchmem -count $(COUNT) ./...

fuzz: ## fuzz every decoder of outside input for FUZZTIME
	@grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do \
		for f in $$(grep -ho '^func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go | cut -c6-); do \
			echo "$$dir $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$dir || exit 1; \
		done; done

browser: programs ## the tests that drive a browser
	$(GO) test -count=1 -timeout 19m -run Browser ./...

guards: programs ## take each guard out, one at a time, and see that a test misses it
	$(GO) test -tags guards -count=1 -timeout 30m -run EveryGuard -v ./internal/house

golden: ## write the golden files anew; read the difference before you commit it
	UPDATE_GOLDEN=1 $(GO) test -count=1 -run Golden ./...

vuln: ## known vulnerabilities in what we call
	$(GOVULNCHECK) $(if $(VULNDB),-db file://$(abspath $(VULNDB))) ./...

programs:
	@./scripts/install-test-programs.sh
