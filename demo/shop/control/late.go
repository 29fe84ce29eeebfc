package control

import (
	"bytes"
	"io"
	"net/http"
	"time"
)

// SlowBy is how late a slow part does its work: longer than anyone in the shop waits for it.
const SlowBy = 3 * time.Second

// Late has the part do its work late while slow says so. For a caller that has gone away by then it does nothing.
func Late(slow func() bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slow() {
			next.ServeHTTP(w, r)
			return
		}
		// The server notices that a caller has gone away only once the body has been read to its end.
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			Refuse(w, http.StatusBadRequest, "the request cannot be read")
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		wait := time.NewTimer(SlowBy)
		defer wait.Stop()
		select {
		case <-wait.C:
			next.ServeHTTP(w, r)
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	})
}
