package signin

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"keyholder/internal/store"
)

// The keys of a session.
const (
	keyPerson   = "person"
	keyAuthTime = "auth_time"
	keySeen     = "seen"
	keyPending  = "pending"
	keyFlash    = "flash"
)

// The lives of a session.
const (
	lifetime   = 24 * time.Hour
	idleFor    = 12 * time.Hour   // without a request that a person made
	touchEvery = time.Minute      // how exactly that is known
	pendingFor = 15 * time.Minute // for a browser that has begun to sign in
)

func newSessions(publicURL string, s *store.Store) *scs.SessionManager {
	m := scs.New()
	m.Store = once{s.Sessions()}
	m.HashTokenInStore = true
	m.Codec = codec{}
	m.Lifetime = lifetime
	m.Cookie.Name = "keyholder_session"
	m.Cookie.HttpOnly = true
	m.Cookie.SameSite = http.SameSiteLaxMode
	m.Cookie.Secure = strings.HasPrefix(publicURL, "https://")
	return m
}

// Sessions loads and saves the session around a handler. failed answers where that cannot be done.
func (in *SignIn) Sessions(next http.Handler, failed func(http.ResponseWriter, *http.Request, error)) http.Handler {
	manager := *in.sessions
	manager.ErrorFunc = failed
	inner := manager.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := in.touch(r); err != nil {
			failed(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), loadedKey{}, new(string))))
	})
}

// touch ends a session that nobody used for long, and otherwise notes its use. scs's own idle timeout would write at
// every request, and pages that refresh themselves would keep a session alive that nobody uses.
func (in *SignIn) touch(r *http.Request) error {
	ctx := r.Context()
	if in.sessions.GetString(ctx, keyPerson) == "" {
		return nil
	}
	now := in.store.Now()
	unused := now.Sub(time.Unix(in.sessions.GetInt64(ctx, keySeen), 0))
	if unused > idleFor {
		return in.sessions.Destroy(ctx)
	}
	if unused > touchEvery && !byItself(r) {
		in.sessions.Put(ctx, keySeen, now.Unix())
	}
	return nil
}

// byItself says whether a page asked, not a person.
func byItself(r *http.Request) bool {
	return r.Header.Get("HX-Request") != "" || r.Header.Get("Accept") == "text/event-stream"
}

// once is the store of sessions, in which a session that has ended stays ended: scs saves whole sessions under their
// token, so a request that was under way when another one signed out would bring the session back.
type once struct{ store.Sessions }

// loadedKey leads to the token of the session that this request began with.
type loadedKey struct{}

// FindCtx loads a session.
func (o once) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	data, ok, err := o.Sessions.FindCtx(ctx, token)
	if at, has := ctx.Value(loadedKey{}).(*string); has && ok {
		*at = token
	}
	return data, ok, err
}

// CommitCtx saves a session, unless it has ended since it was loaded.
func (o once) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	if at, has := ctx.Value(loadedKey{}).(*string); has && *at == token {
		if _, there, err := o.Sessions.FindCtx(ctx, token); err != nil || !there {
			return err
		}
	}
	return o.Sessions.CommitCtx(ctx, token, data, expiry)
}
