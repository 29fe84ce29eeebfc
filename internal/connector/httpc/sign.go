package httpc

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"keyholder/internal/connector"
)

// The headers of a signed call.
const (
	TimestampHeader = "X-Keyholder-Timestamp"
	SignatureHeader = "X-Keyholder-Signature"
)

// sign puts the time (seconds since 1970) and the signature on a request.
func sign(req *http.Request, secret connector.Secret, body []byte, now time.Time) {
	timestamp := strconv.FormatInt(now.Unix(), 10)
	req.Header.Set(TimestampHeader, timestamp)
	req.Header.Set(SignatureHeader, Signature(secret.Reveal(), timestamp, req.Method, req.URL.RequestURI(), body))
}

// Signature is the hex HMAC-SHA256 over "timestamp.method.path.body". The path is as on the request line, so it includes
// the query where there is one: what is signed is all that the receiver acts on.
func Signature(secret []byte, timestamp, method, path string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(timestamp + "." + method + "." + path + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}
