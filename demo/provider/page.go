package provider

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"slices"
	"strings"
)

//go:embed page
var pageFiles embed.FS

type loginView struct {
	ID       string
	Problem  string
	Suggests *Person // who most likely wants to sign in
	Again    bool    // they are signed in already and are asked once more
	People   []Person
}

func loginPage(asked request, current session, signedIn bool) loginView {
	view := loginView{ID: asked.id, Again: signedIn, People: People()}
	suggested, ok := personBySubject(current.Subject)
	if !signedIn || !ok {
		if suggested, ok = personBySubject(asked.hint); !ok {
			suggested, ok = personByUsername(asked.LoginHint)
		}
	}
	if ok {
		view.Suggests = &suggested
		view.People = slices.DeleteFunc(view.People, func(p Person) bool { return p.Username == suggested.Username })
	}
	return view
}

type messageView struct {
	Title, Text string
	Home        string
}

func (s *site) lapsed(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusBadRequest, "message", messageView{
		Title: "This sign-in has lapsed",
		Text:  "It took longer than fifteen minutes, or the sign-in provider was started anew. Nothing is lost: start again from Keyholder.",
		Home:  s.config.home(),
	})
}

func (s *site) failed(w http.ResponseWriter, r *http.Request, err error) {
	s.config.Log.Error("sign-in failed", "error", err)
	s.render(w, r, http.StatusInternalServerError, "message", messageView{
		Title: "The sign-in could not be kept",
		Text:  "The sign-in provider could not write its state. Its log says why.",
		Home:  s.config.home(),
	})
}

func (s *site) signedOut(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "message", messageView{
		Title: "You are signed out", Text: "This browser is signed out of the demonstration.", Home: s.config.home(),
	})
}

func (s *site) index(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "message", messageView{
		Title: "The demonstration's sign-in provider",
		Text:  "There is nothing to do here: Keyholder sends you here when you sign in.",
		Home:  s.config.home(),
	})
}

func (s *site) render(w http.ResponseWriter, _ *http.Request, status int, name string, view any) {
	var page bytes.Buffer
	if err := s.pages.ExecuteTemplate(&page, name, view); err != nil {
		s.config.Log.Error("draw page", "page", name, "error", err)
		http.Error(w, "The page could not be drawn.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", s.policy)
	w.WriteHeader(status)
	if _, err := page.WriteTo(w); err != nil {
		s.config.Log.Debug("send page", "page", name, "error", err)
	}
}

func (s *site) style(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, pageFiles, "page/style.css")
}

func parsePages() (*template.Template, error) {
	return template.ParseFS(pageFiles, "page/*.html")
}

// contentPolicy names the portal under form-action: Chromium applies it to the redirects that follow a posted form.
func contentPolicy(c Config) string {
	targets := []string{"'self'"}
	for _, uri := range c.RedirectURIs {
		if o := origin(uri); !slices.Contains(targets, o) {
			targets = append(targets, o)
		}
	}
	return "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action " +
		strings.Join(targets, " ")
}
