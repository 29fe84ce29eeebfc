package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// ErrAnswered marks a call that was answered with something else than 2xx.
var ErrAnswered = errors.New("it answered")

// Call sends JSON, of body unless it is nil, and reads the JSON of a 2xx answer.
func Call(ctx context.Context, client *http.Client, method, url string, body, answer any) error {
	return CallOnce(ctx, client, method, url, "", body, answer)
}

// CallOnce is Call under an idempotency key.
func CallOnce(ctx context.Context, client *http.Client, method, url, key string, body, answer any) error {
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return fmt.Errorf("write the request to %s: %w", url, err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("make the request to %s: %w", url, err)
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	got, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", url, err)
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %w %d", url, ErrAnswered, response.StatusCode)
	}
	if err := json.Unmarshal(got, answer); err != nil {
		return fmt.Errorf("read the answer of %s: %w", url, err)
	}
	return nil
}
