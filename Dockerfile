FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -o /keyholder ./cmd/keyholder

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /keyholder /keyholder
ENTRYPOINT ["/keyholder"]
