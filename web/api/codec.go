package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"keyholder/internal/access"
)

// maxPayloads bounds what is decrypted at once: Temporal keeps at most 2 MiB in a payload, and base64 makes that a third more.
const maxPayloads = 4 << 20

// addCodec offers the half of Temporal's protocol for remote codecs that reads. The path is the protocol's and has no version. What
// encrypts is not offered: only the product writes.
func (a *API) addCodec() {
	add(a, huma.Operation{
		Method: http.MethodPost, Path: Root + "codec/decode", Summary: "Decrypt what processes keep in Temporal", Tags: []string{"Processes"},
		Description:  `For Temporal's command line and pages, whose codec endpoint is this address without "/decode". Each call is on record, without what was decrypted.`,
		MaxBodyBytes: maxPayloads,
	}, access.ReadProcesses, a.decode)
}

type codecBody struct {
	Body json.RawMessage `doc:"Temporal's payloads: {\"payloads\": [{\"metadata\": {…}, \"data\": \"…\"}]}."`
}

// decode answers only once the call is on record. What is no question to begin with is not recorded.
func (a *API) decode(ctx context.Context, in *codecBody) (*codecBody, error) {
	answer, asked, err := a.Decode(in.Body)
	if err != nil && asked == 0 {
		return nil, err
	}
	if recordErr := a.Store.RecordDecoding(ctx, principal(ctx), asked, err == nil); recordErr != nil {
		return nil, recordErr
	}
	return &codecBody{answer}, err
}
