# The image holds the binary, the roots of trust and an empty data directory.
# docs/operating.md says how to run it.

FROM golang:1.26.8 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# docs/decisions/0008 says what the tag is for: it makes the binary a quarter smaller.
RUN CGO_ENABLED=0 go build -tags grpcnotrace -trimpath -ldflags '-s -w' -o /out/doorward ./cmd/doorward \
 && mkdir -p /out/root && mkdir -m 0700 /out/root/data /out/root/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build --chown=65532:65532 /out/root /
COPY --from=build /out/doorward /doorward
USER 65532:65532
WORKDIR /data
VOLUME /data
ENV DOORWARD_LISTEN=0.0.0.0:8080 DOORWARD_DATA=/data DOORWARD_LOG_FORMAT=json
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["/doorward", "health"]
ENTRYPOINT ["/doorward"]
CMD ["serve"]
