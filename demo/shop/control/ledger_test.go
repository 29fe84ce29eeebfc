package control_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"keyholder/demo/shop/control"
)

type book struct {
	t      *testing.T
	ledger *control.Ledger
	status int // of the next answer
	fail   error
}

func openBook(t *testing.T, path string) *book {
	t.Helper()
	db, err := control.OpenFile(t.Context(), path, `CREATE TABLE IF NOT EXISTS acts (body TEXT)`)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	ledger, err := control.NewLedger(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return &book{t: t, ledger: ledger, status: http.StatusOK}
}

func (b *book) act(ctx context.Context, tx *sql.Tx, body []byte) (control.Answer, error) {
	if b.status != http.StatusOK {
		return control.Refusal(b.status, "not now"), nil
	}
	if err := control.Count(ctx, tx, "acts"); err != nil {
		return control.Answer{}, err
	}
	return control.Answer{Status: b.status, Body: string(body)}, b.fail
}

func (b *book) call(key, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodPost, "/admin/act", strings.NewReader(body))
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	b.ledger.Handle(b.act)(w, r)
	return w
}

func (b *book) wantEffects(want int) {
	b.t.Helper()
	got, err := b.ledger.Effects(b.t.Context(), "acts")
	if err != nil {
		b.t.Fatal(err)
	}
	if got["acts"] != want {
		b.t.Errorf("%d effects, want %d", got["acts"], want)
	}
}

func TestRepeatedKeyHasTheFirstAnswerAndOneEffect(t *testing.T) {
	path := filepath.Join(t.TempDir(), "part", "file.db")
	first := openBook(t, path)
	one := first.call("k", "leeds")
	again := openBook(t, path) // as after a restart
	two := again.call("k", "leeds")
	if one.Code != http.StatusOK || two.Code != one.Code || two.Body.String() != one.Body.String() {
		t.Errorf("first %d %s, then %d %s", one.Code, one.Body, two.Code, two.Body)
	}
	again.wantEffects(1)
	again.call("", "leeds")
	again.call("other", "leeds")
	again.wantEffects(3)
}

func TestKeyOfAnotherRequestIsRefused(t *testing.T) {
	b := openBook(t, filepath.Join(t.TempDir(), "file.db"))
	b.call("k", "leeds")
	if got := b.call("k", "dublin"); got.Code != http.StatusUnprocessableEntity {
		t.Errorf("answered %d %s", got.Code, got.Body)
	}
	b.wantEffects(1)
}

func TestRefusedKeyMayTryAgain(t *testing.T) {
	b := openBook(t, filepath.Join(t.TempDir(), "file.db"))
	b.status = http.StatusConflict
	if got := b.call("k", "leeds"); got.Code != http.StatusConflict {
		t.Errorf("answered %d", got.Code)
	}
	b.status = http.StatusOK
	if got := b.call("k", "leeds"); got.Code != http.StatusOK {
		t.Errorf("answered %d %s", got.Code, got.Body)
	}
	b.wantEffects(1)
}

func TestFailedActLeavesNoEffectAndNoMemory(t *testing.T) {
	b := openBook(t, filepath.Join(t.TempDir(), "file.db"))
	b.fail = errors.New("the disk is full")
	if got := b.call("k", "leeds"); got.Code != http.StatusInternalServerError {
		t.Errorf("answered %d", got.Code)
	}
	b.wantEffects(0)
	b.fail = nil
	b.call("k", "leeds")
	b.wantEffects(1)
}
