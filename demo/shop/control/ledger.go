package control

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const ledgerSchema = `
CREATE TABLE IF NOT EXISTS answers (
	key TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS effects (name TEXT PRIMARY KEY, count INTEGER NOT NULL);`

// Ledger remembers, in a part's own file, the answer to each idempotency key and how often each effect came about.
type Ledger struct{ db *sql.DB }

// NewLedger keeps its tables in the part's file.
func NewLedger(ctx context.Context, db *sql.DB) (*Ledger, error) {
	if _, err := db.ExecContext(ctx, ledgerSchema); err != nil {
		return nil, fmt.Errorf("prepare the ledger: %w", err)
	}
	return &Ledger{db: db}, nil
}

// Answer is what an admin call is told.
type Answer struct {
	Status int
	Body   any
}

// Refusal makes the answer {"error": why}.
func Refusal(status int, why string) Answer {
	return Answer{Status: status, Body: map[string]string{"error": why}}
}

// Effect changes the part within tx. An answer outside 2xx must have changed nothing: it is not remembered, so that the
// same key may try again.
type Effect func(ctx context.Context, tx *sql.Tx, body []byte) (Answer, error)

// Handle answers an admin call. The effect and the memory of its Idempotency-Key are one transaction, so a repeat,
// even after a kill, has the first answer and no second effect. A key that comes back with another request is 422.
func (l *Ledger) Handle(effect Effect) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			Refuse(w, http.StatusBadRequest, "the request cannot be read")
			return
		}
		key := r.Header.Get("Idempotency-Key")
		status, answer, err := l.once(r.Context(), key, request(r, body), func(tx *sql.Tx) (Answer, error) {
			return effect(r.Context(), tx, body)
		})
		if err != nil {
			Refuse(w, http.StatusInternalServerError, err.Error())
			return
		}
		writeBody(w, status, answer)
	}
}

func request(r *http.Request, body []byte) string {
	digest := sha256.Sum256(bytes.TrimSpace(body))
	return r.Method + " " + r.URL.Path + " " + hex.EncodeToString(digest[:8])
}

func (l *Ledger) once(ctx context.Context, key, request string, act func(*sql.Tx) (Answer, error)) (int, []byte, error) {
	var status int
	var body []byte
	err := InTx(ctx, l.db, func(tx *sql.Tx) error {
		known, err := remembered(ctx, tx, key, request, &status, &body)
		if err != nil || known {
			return err
		}
		answer, err := act(tx)
		if err != nil {
			return err
		}
		if body, err = json.Marshal(answer.Body); err != nil {
			return fmt.Errorf("write the answer: %w", err)
		}
		status = answer.Status
		return remember(ctx, tx, key, request, status, body)
	})
	return status, body, err
}

func remembered(ctx context.Context, tx *sql.Tx, key, request string, status *int, body *[]byte) (bool, error) {
	if key == "" {
		return false, nil
	}
	var first string
	err := tx.QueryRowContext(ctx, `SELECT request, status, body FROM answers WHERE key = ?`, key).
		Scan(&first, status, body)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up the idempotency key: %w", err)
	}
	if first != request {
		*status = http.StatusUnprocessableEntity
		*body = []byte(`{"error":"this idempotency key belongs to another request"}`)
	}
	return true, nil
}

func remember(ctx context.Context, tx *sql.Tx, key, request string, status int, body []byte) error {
	if key == "" || status < 200 || status > 299 {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO answers (key, request, status, body, at) VALUES (?, ?, ?, ?, ?)`,
		key, request, status, body, time.Now().UTC().Format(time.RFC3339Nano))
	if err != nil {
		return fmt.Errorf("remember the idempotency key: %w", err)
	}
	return nil
}

// Count adds one to the named effect, within the transaction of the effect itself.
func Count(ctx context.Context, tx *sql.Tx, effect string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO effects (name, count) VALUES (?, 1)
		ON CONFLICT (name) DO UPDATE SET count = count + 1`, effect)
	if err != nil {
		return fmt.Errorf("count %s: %w", effect, err)
	}
	return nil
}

// Effects tells how often each of the named effects came about.
func (l *Ledger) Effects(ctx context.Context, names ...string) (map[string]int, error) {
	counts := make(map[string]int, len(names))
	for _, name := range names {
		var count int
		err := l.db.QueryRowContext(ctx, `SELECT count FROM effects WHERE name = ?`, name).Scan(&count)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("count %s: %w", name, err)
		}
		counts[name] = count
	}
	return counts, nil
}
