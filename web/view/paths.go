package view

import (
	"net/url"
	"strconv"
)

// The addresses of the portal. Nothing else writes them.

// NowPath is the page that everybody lands on.
func NowPath() string { return "/" }

// SignInPath signs in and comes back.
func SignInPath(back string) string { return "/sign-in?return=" + url.QueryEscape(back) }

// SignInAgainPath asks for a fresh sign-in and comes back.
func SignInAgainPath(back string) string { return "/sign-in/again?return=" + url.QueryEscape(back) }

// SignOutPath ends the session.
func SignOutPath() string { return "/sign-out" }

// SignedOutPath is where people land after it.
func SignedOutPath() string { return "/signed-out" }

// MePath is a person's own session.
func MePath() string { return "/me" }

// AuditPath is the record, as a filter chooses.
func AuditPath(f AuditFilter) string { return "/audit" + f.query() }

// AuditCSVPath exports the same lines.
func AuditCSVPath(f AuditFilter) string { return "/audit.csv" + f.query() }

// AuditJSONPath exports the same lines.
func AuditJSONPath(f AuditFilter) string { return "/audit.json" + f.query() }

// AuditOfPath is the record of one object.
func AuditOfPath(object string) string { return AuditPath(AuditFilter{Object: object}) }

// IncidentsPath lists incidents, and takes a new one.
func IncidentsPath() string { return "/incidents" }

// NewIncidentPath is the form of a new incident; a query fills it in.
func NewIncidentPath() string { return "/incidents/new" }

// IncidentPath is one incident.
func IncidentPath(code string) string { return "/incidents/" + url.PathEscape(code) }

// CloseIncidentPath closes an incident.
func CloseIncidentPath(code string) string { return IncidentPath(code) + "/close" }

// RecoverPath is the form of a failover for an incident.
func RecoverPath(code string) string { return IncidentPath(code) + "/recover" }

// CheckPath is the check page before a request is filed.
func CheckPath(code string) string { return IncidentPath(code) + "/check" }

// PlansPath lists plans.
func PlansPath() string { return "/plans" }

// PlanPath is the plan in force.
func PlanPath(slug string) string { return "/plans/" + url.PathEscape(slug) }

// PlanVersionPath is one version of a plan.
func PlanVersionPath(slug string, version int) string {
	return PlanPath(slug) + "?version=" + strconv.Itoa(version)
}

// MovePath is the form of a planned move.
func MovePath(slug string) string { return PlanPath(slug) + "/move" }

// MoveCheckPath is the check page of a planned move.
func MoveCheckPath(slug string) string { return PlanPath(slug) + "/check" }

// RequestsPath takes a new request.
func RequestsPath() string { return "/requests" }

// RequestPath is the page on which people decide.
func RequestPath(code string) string { return "/a/" + url.PathEscape(code) }

// DecidePath takes a vote.
func DecidePath(code string) string { return RequestPath(code) + "/decide" }

// WithdrawPath takes a request back.
func WithdrawPath(code string) string { return RequestPath(code) + "/withdraw" }

// PassPath leaves a request to others.
func PassPath(code string) string { return RequestPath(code) + "/pass" }

// ConfirmRequestPath reopens the voting.
func ConfirmRequestPath(code string) string { return RequestPath(code) + "/confirm" }

// RunPath is one run.
func RunPath(code string) string { return "/runs/" + url.PathEscape(code) }

// SteerPath steers a run.
func SteerPath(code string) string { return RunPath(code) + "/steer" }

// ProposePath proposes an exception.
func ProposePath(code string) string { return RunPath(code) + "/propose" }

// ConfirmExceptionPath confirms one.
func ConfirmExceptionPath(code string) string { return RunPath(code) + "/confirm" }

// RefuseExceptionPath refuses one.
func RefuseExceptionPath(code string) string { return RunPath(code) + "/refuse" }
