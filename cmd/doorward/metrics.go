package main

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"doorward/runtime/flow"
)

// metrics counts what operators watch. Labels are closed lists: no id, name or
// address ever becomes one.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	events   *prometheus.CounterVec
	calls    *prometheus.HistogramVec
	breakers *prometheus.CounterVec
	messages *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "doorward_http_request_duration_seconds", Help: "Time to answer a request.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 12},
		}, []string{"route", "status"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "doorward_security_events_total", Help: "Security events, by type.",
		}, []string{"type"}),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "doorward_outside_call_duration_seconds", Help: "Time that calls of outside services took, by what became of them.",
			Buckets: []float64{.01, .05, .1, .25, .5, 1, 2, 4, 8},
		}, []string{"outcome"}),
		breakers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "doorward_outside_breaker_changes_total", Help: "Changes of the breakers of outside services, by the new state.",
		}, []string{"state"}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "doorward_messages_total", Help: "Tries to send messages, by channel and by what became of them.",
		}, []string{"channel", "outcome"}),
	}
	m.registry.MustRegister(m.requests, m.events, m.calls, m.breakers, m.messages, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Observe implements the measure that the HTTP face asks for.
func (m *metrics) Observe(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
}

// Delivered counts one try to send a message.
func (m *metrics) Delivered(channel flow.Channel, outcome flow.EventType) {
	m.messages.WithLabelValues(string(channel), strings.TrimPrefix(string(outcome), "MESSAGE.")).Inc()
}

// Record implements flow.Recorder.
func (m *metrics) Record(_ context.Context, e flow.Event) {
	m.events.WithLabelValues(string(e.Type)).Inc()
}

// gauge exports a number that a part keeps anyway.
func (m *metrics) gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

func (m *metrics) server(addr string) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return &http.Server{Addr: addr, Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
}
