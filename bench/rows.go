package main

import (
	"fmt"
	"slices"
)

// series is what an arm measured, one value a round.
type series struct{ rate, server, redis, p50, p99, value, other sample }

func (s *series) add(w window) {
	s.rate, s.server, s.redis = append(s.rate, w.rate), append(s.server, w.server), append(s.redis, w.redis)
	s.p50, s.p99 = append(s.p50, w.p50), append(s.p99, w.p99)
	s.value, s.other = append(s.value, w.value), append(s.other, w.other)
}

// total is the CPU of server and Redis.
func (s *series) total() sample { return s.server.plus(s.redis) }

// results are the series by arm.
type results map[string]*series

// row is one line of the table: a measure, or the ratio of two.
type row struct {
	name   string
	unit   string // of ours, and of against
	arms   []string
	values func(r results) (ours, against sample) // against nil: ours is judged as it is
	target *target                                // nil: shown for information
	fixed  bool                                   // does not vary between rounds
	counts bool                                   // how often against fits into ours, not how they differ
}

func rows() []row {
	var list []row
	for _, clients := range []int{8, mostClients} {
		list = append(list, againstBare("action", clients, stepOf)...)
	}
	for _, clients := range []int{8, mostClients} {
		list = append(list, againstBare("GET", clients, readOf)...)
	}
	list = append(list, signOnRows()...)
	for _, clients := range []int{8, mostClients} {
		memory, store := stepOf(embedded, clients), stepOf(onRedis, clients)
		list = append(list, row{
			name: fmt.Sprintf("embedded against Redis, CPU, %d clients", clients), unit: "us", arms: []string{memory, store},
			values: func(r results) (sample, sample) { return r[memory].total(), r[store].total() }, target: atMost(0.7),
		})
	}
	return slices.Concat(list, hashRows(), footprintRows(), pageRows(), definitionRows(), outsideRows(), hangingRows(), factorRows(), oracleRows())
}

// againstBare compares one request with the bare server's.
func againstBare(what string, clients int, arm func(server string, clients int) string) []row {
	ours, bare := arm(onRedis, clients), arm(bareServer, clients)
	name := fmt.Sprintf("%s, %d clients, ", what, clients)
	most := atMost(1.25)
	if what == "GET" {
		most = nil
	}
	return []row{
		{
			name: name + "throughput", unit: "/s", arms: []string{bare, ours}, target: atLeast(0.8),
			values: func(r results) (sample, sample) { return r[ours].rate, r[bare].rate },
		},
		{
			name: name + "CPU, server and Redis", unit: "us", arms: []string{bare, ours}, target: most,
			values: func(r results) (sample, sample) { return r[ours].total(), r[bare].total() },
		},
		{
			name: name + "CPU, server alone", unit: "us", arms: []string{bare, ours},
			values: func(r results) (sample, sample) { return r[ours].server, r[bare].server },
		},
	}
}

// signOnRows weigh a whole sign-on in anchors: actions of the bare server.
func signOnRows() []row {
	anchor := stepOf(bareServer, 8)
	return []row{
		{
			name: "sign-on without hash and signatures, in anchors", unit: "us", arms: []string{anchor, cheapTokens, signatures}, target: atMost(7), counts: true,
			values: func(r results) (sample, sample) {
				return r[cheapTokens].total().minus(r[signatures].other), r[anchor].total()
			},
		},
		{
			name: "  its signatures", unit: "us", arms: []string{signatures},
			values: func(r results) (sample, sample) { return r[signatures].value, nil },
		},
		{
			name: "  its hash", unit: "us", arms: []string{cheapTokens, allTokens, signatures},
			values: func(r results) (sample, sample) {
				rest := r[cheapTokens].total().minus(r[signatures].other)
				return r[allTokens].total().minus(rest).minus(r[signatures].value), nil
			},
		},
	}
}

func hashRows() []row {
	return []row{
		{
			name: "sign-ons to a code against bare hashes", unit: "/s", arms: []string{bareHash, allCodes}, target: atLeast(0.95),
			values: func(r results) (sample, sample) { return r[allCodes].rate, r[bareHash].rate },
		},
		{
			name: "sign-ons to tokens against bare hashes", unit: "/s", arms: []string{bareHash, allTokens},
			values: func(r results) (sample, sample) { return r[allTokens].rate, r[bareHash].rate },
		},
		{
			name: "actions while every worker hashes, p50", unit: "ms", arms: []string{quiet, busy}, target: atMost(3),
			values: func(r results) (sample, sample) { return r[busy].p50, r[quiet].p50 },
		},
		{
			name: "actions while every worker hashes, p99", unit: "ms", arms: []string{busy}, target: atMost(20),
			values: func(r results) (sample, sample) { return r[busy].p99, nil },
		},
	}
}

func footprintRows() []row {
	one := func(name, unit, arm string, of func(*series) sample, most float64) row {
		return row{
			name: name, unit: unit, arms: []string{arm}, target: atMost(most), fixed: arm == flowMemory || arm == binarySize,
			values: func(r results) (sample, sample) { return of(r[arm]), nil },
		}
	}
	value := func(s *series) sample { return s.value }
	other := func(s *series) sample { return s.other }
	return []row{
		one("Redis memory of a live flow, web", "B", flowMemory, value, 800),
		one("Redis memory of a live flow, pi.flow", "B", flowMemory, other, 800),
		one("start to first answer, embedded", "ms", startEmbedded, value, 50),
		one("start to first answer, Redis", "ms", startOnRedis, value, 100),
		one("idle memory, embedded", "MiB", startEmbedded, other, 40),
		one("idle memory, Redis", "MiB", startOnRedis, other, 40),
		one("stripped binary", "MB", binarySize, value, 45),
	}
}
