package control

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// maxBody is far above the largest request of the shop.
const maxBody = 1 << 20

// WriteJSON answers with v. A caller that has gone away is no fault of the part, so a failed write is not reported.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, `{"error":"the answer cannot be written"}`, http.StatusInternalServerError)
		return
	}
	writeBody(w, status, body)
}

func writeBody(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// Refuse answers {"error": why}.
func Refuse(w http.ResponseWriter, status int, why string) {
	WriteJSON(w, status, map[string]string{"error": why})
}

// ReadJSON reads the request's body into v. Unknown fields are an error, so that a misspelt one is not taken for its
// zero value.
func ReadJSON(r *http.Request, v any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return fmt.Errorf("read the request's JSON: %w", err)
	}
	return nil
}
