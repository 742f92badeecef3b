package main

import (
	"context"
	"fmt"
	"log/slog"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"doorward/runtime/flow"
)

// flows is what the faces ask of the engine.
type flows interface {
	Start(ctx context.Context, s flow.Start) (flow.View, *flow.Completion, error)
	View(ctx context.Context, ref flow.Ref, c flow.Caller) (flow.View, error)
	Act(ctx context.Context, ref flow.Ref, c flow.Caller, s flow.Submit) (flow.View, error)
	Resume(ctx context.Context, ref flow.Ref, c flow.Caller) (flow.View, *flow.Completion, error)
	Callback(ctx context.Context, ref flow.Ref, c flow.Caller, v flow.Values) (flow.View, error)
	Return(ctx context.Context, ref flow.Ref, from string, c flow.Caller) (flow.View, error)
	Present(ctx context.Context, env string, c flow.Caller) (*flow.Session, error)
	SignOff(ctx context.Context, env string, c flow.Caller, session string) (string, error)
}

// newTracer exports spans when the OpenTelemetry variables name a collector, and
// returns nil otherwise. The collector is the operator's own, so the guard on
// outbound calls does not apply to it.
func newTracer(ctx context.Context, getenv func(string) string, log *slog.Logger) (*sdktrace.TracerProvider, error) {
	if getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
		return nil, nil //nolint:nilnil // no collector, no tracer
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("trace exporter: %w", err)
	}
	service, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "doorward")), resource.WithFromEnv()) // the later of a name counts
	if err != nil {
		return nil, fmt.Errorf("trace resource: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces", "error", err) }))
	return sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(service)), nil
}

// traced makes a span of every call of the engine. Attributes are ids, names of
// actions and statuses; never values.
type traced struct {
	flows
	tracer trace.Tracer
}

func (t traced) span(ctx context.Context, name string, ref flow.Ref) (context.Context, trace.Span) {
	return t.tracer.Start(ctx, name, trace.WithAttributes(
		attribute.String("doorward.environment", ref.Env), attribute.String("doorward.flow", ref.ID)))
}

func end(s trace.Span, v flow.View, err error) {
	if v.Status != "" {
		s.SetAttributes(attribute.String("doorward.status", v.Status))
	}
	if err != nil {
		s.SetStatus(codes.Error, string(flow.AsFault(err).Code))
	}
	s.End()
}

func (t traced) Start(ctx context.Context, in flow.Start) (flow.View, *flow.Completion, error) {
	ctx, s := t.span(ctx, "flow.start", flow.Ref{Env: in.Env})
	v, c, err := t.flows.Start(ctx, in)
	end(s, v, err)
	return v, c, err
}

func (t traced) View(ctx context.Context, ref flow.Ref, c flow.Caller) (flow.View, error) {
	ctx, s := t.span(ctx, "flow.view", ref)
	v, err := t.flows.View(ctx, ref, c)
	end(s, v, err)
	return v, err
}

func (t traced) Act(ctx context.Context, ref flow.Ref, c flow.Caller, in flow.Submit) (flow.View, error) {
	ctx, s := t.span(ctx, "flow.act", ref)
	if len(in.Action) <= 64 {
		s.SetAttributes(attribute.String("doorward.action", in.Action))
	}
	v, err := t.flows.Act(ctx, ref, c, in)
	end(s, v, err)
	return v, err
}

// Callback takes what an external provider sent.
func (t traced) Callback(ctx context.Context, ref flow.Ref, c flow.Caller, in flow.Values) (flow.View, error) {
	ctx, s := t.span(ctx, "flow.callback", ref)
	v, err := t.flows.Callback(ctx, ref, c, in)
	end(s, v, err)
	return v, err
}

// Return brings an execution of a flow definition back.
func (t traced) Return(ctx context.Context, ref flow.Ref, from string, c flow.Caller) (flow.View, error) {
	ctx, s := t.span(ctx, "flow.return", ref)
	v, err := t.flows.Return(ctx, ref, from, c)
	end(s, v, err)
	return v, err
}

func (t traced) Resume(ctx context.Context, ref flow.Ref, c flow.Caller) (flow.View, *flow.Completion, error) {
	ctx, s := t.span(ctx, "flow.resume", ref)
	v, done, err := t.flows.Resume(ctx, ref, c)
	end(s, v, err)
	return v, done, err
}
