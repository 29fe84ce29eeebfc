package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/internal/signin"
	"keyholder/web/view"
)

// route is one URL of the portal with the one permission that it needs.
type route struct {
	Method, Path string
	Needs        access.Permission
	Handler      echo.HandlerFunc
}

// routes is the whole portal. A GET changes nothing.
func (s *Server) routes() []route {
	const get, post = http.MethodGet, http.MethodPost
	return []route{
		{get, "/healthz", access.Anyone, s.healthz},
		{get, "/readyz", access.Anyone, s.readyz},
		{get, "/static/*", access.Anyone, echo.WrapHandler(s.static)},
		{get, "/sign-in", access.Anyone, s.signIn},
		{get, signin.CallbackPath, access.Anyone, s.signedIn},
		{get, "/signed-out", access.Anyone, s.signedOut},
		{get, "/sign-in/again", access.SignedIn, s.signInAgain},
		{post, "/sign-out", access.SignedIn, s.signOut},
		{get, "/me", access.SignedIn, s.showMe},
		{post, "/me/channels", access.See, s.chooseChannels},
		{get, eventsPath, access.See, s.events},

		{get, "/", access.See, s.showNow},
		{get, "/incidents", access.See, s.listIncidents},
		{get, "/incidents/new", access.OpenIncident, s.newIncident},
		{post, "/incidents", access.OpenIncident, s.openIncident},
		{get, "/incidents/:code", access.See, s.showIncident},
		{post, "/incidents/:code/close", access.OpenIncident, s.closeIncident},
		{get, "/incidents/:code/recover", access.Request, s.startRecovery},
		{get, "/incidents/:code/check", access.Request, s.checkRecovery},
		{get, "/plans", access.See, s.listPlans},
		{get, "/plans/:slug", access.See, s.showPlan},
		{get, "/plans/:slug/move", access.Request, s.startMove},
		{get, "/plans/:slug/check", access.Request, s.checkMove},
		{post, "/requests", access.Request, s.fileRequest},
		{get, "/a/:code", access.See, s.showRequest},
		{post, "/a/:code/decide", access.Decide, s.decideRequest},
		{post, "/a/:code/pass", access.Decide, s.passRequest},
		{post, "/a/:code/withdraw", access.Request, s.withdrawRequest},
		{post, "/a/:code/confirm", access.Request, s.confirmRequest},
		{get, "/runs/:code", access.See, s.showRun},
		{post, "/runs/:code/steer", access.Steer, s.steerRun},
		{post, "/runs/:code/propose", access.Steer, s.proposeException},
		{post, "/runs/:code/confirm", access.DecideExcept, s.confirmException},
		{post, "/runs/:code/refuse", access.DecideExcept, s.refuseException},

		{get, "/catalog", access.See, s.showCatalog},
		{get, "/catalog/:kind", access.See, s.listRecords},
		{get, "/catalog/:kind/new", access.ProposeChange, s.newRecord},
		{post, "/catalog/:kind/new", access.ProposeChange, s.addRecord},
		{get, "/catalog/:kind/:slug", access.See, s.showRecord},
		{get, "/catalog/:kind/:slug/edit", access.ProposeChange, s.editRecord},
		{post, "/catalog/:kind/:slug/edit", access.ProposeChange, s.saveRecord},
		{post, "/catalog/:kind/:slug/retire", access.ProposeChange, s.retireRecord},
		{post, "/orders/:slug/revoke", access.RevokeOrder, s.revokeOrder},
		{get, "/degraded", access.See, s.listModes},
		{post, "/degraded", access.RunDegraded, s.fileMode},
		{get, "/degraded/new", access.RunDegraded, s.newMode},
		{get, "/degraded/:code", access.See, s.showMode},
		{post, "/degraded/:code/decide", access.Decide, s.decideMode},
		{post, "/degraded/:code/withdraw", access.RunDegraded, s.withdrawMode},
		{post, "/degraded/:code/do", access.RunDegraded, s.commandMode},
		{get, "/access", access.See, s.showAccesses},
		{get, "/access/ask", access.AskAccess, s.askAccess},
		{post, "/access/ask", access.AskAccess, s.fileAccess},
		{post, "/access/freeze", access.RevokeAccess, s.freezeAccess},
		{post, "/access/locks/:id/release", access.RevokeAccess, s.releaseAccess},
		{post, "/access/findings/:id/put-right", access.RevokeAccess, s.putAccessRight},
		{get, "/access/:code", access.See, s.showAccess},
		{post, "/access/:code/decide", access.Decide, s.decideAccess},
		{post, "/access/:code/withdraw", access.AskAccess, s.withdrawAccess},
		{post, "/access/:code/begin", access.AskAccess, s.beginAccess},
		{post, "/access/:code/password", access.AskAccess, s.showPassword},
		{post, "/access/:code/give-back", access.AskAccess, s.returnAccess},
		{post, "/access/:code/revoke", access.RevokeAccess, s.revokeAccess},
		{post, "/access/:code/state", access.AskAccess, s.stateAccess},
		{get, "/access/:code/activity", access.See, s.accessActivity},
		{post, "/access/:code/review", access.Decide, s.reviewAccess},
		{get, "/impact", access.See, s.showImpact},
		{get, "/who", access.See, s.showWho},
		{get, "/messages", access.See, s.showMessages},
		{post, "/messages/test", access.See, s.testChannel},
		{get, "/roles", access.See, s.showRoles},
		{post, "/roles/review", access.ReviewRoles, s.reviewRoles},
		{get, "/change-requests", access.See, s.listChangeRequests},
		{post, "/change-requests", access.ProposeChange, s.proposeDraft},
		{get, "/change-requests/draft", access.ProposeChange, s.showDraft},
		{post, "/change-requests/draft/drop", access.ProposeChange, s.dropDraft},
		{get, "/change-requests/:code", access.See, s.showChangeRequest},
		{get, "/change-requests/:code/terms.json", access.See, s.showTerms},
		{post, "/change-requests/:code/decide", access.DecideChange, s.decideChange},
		{post, "/change-requests/:code/take-back", access.ProposeChange, s.takeBackRequest},
		{post, "/change-requests/:code/withdraw", access.ProposeChange, s.withdrawChange},
		{post, "/change-requests/:code/confirm", access.ProposeChange, s.confirmChange},
		{get, "/findings", access.See, s.listFindings},
		{post, "/findings/accept", access.EditCatalog, s.acceptFinding},
		{get, view.FilesPath(), access.See, s.showFiles},
		{post, view.FilesPath(), access.ApplyCatalog, s.takeFiles},
		{get, view.ExportPath(), access.See, s.exportFiles},
		{get, view.SchemaPath(), access.Anyone, s.showSchema},
		{get, "/catalog-changes", access.See, s.listCatalogChanges},
		{get, "/catalog-changes/:version", access.See, s.showCatalogChange},
		{post, "/catalog-changes/:version/take-back", access.ProposeChange, s.takeBack},

		{get, "/audit", access.ReadAudit, s.showAudit},
		{get, "/audit.csv", access.ReadAudit, s.auditCSV},
		{get, "/audit.json", access.ReadAudit, s.auditJSON},
	}
}
