package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"keyholder/demo/identity"
	"keyholder/demo/mailbox"
	"keyholder/demo/provider"
	"keyholder/demo/reporting"
	"keyholder/demo/retailer"
	"keyholder/demo/shop"
	"keyholder/demo/stack"
	"keyholder/demo/temporal"
	"keyholder/internal/app"
	"keyholder/internal/config"
	"keyholder/internal/signin"
	"keyholder/internal/store"
)

// The names under which addresses are kept.
const (
	partProvider     = "provider"
	partPanel        = "panel"
	partLease        = "lease"
	partTraffic      = "traffic"
	partTrafficAdmin = "traffic-admin"
	partDNS          = "dns"
	partLeeds        = "leeds"
	partDublin       = "dublin"
	partMail         = "mailbox-mail"
	partMailbox      = "mailbox"
	partFlags        = "flags"
	partLoyalty      = "loyalty"
	partTax          = "tax"
	partERP          = "erp"
	partOutlets      = "outlets"
	partIdentity     = "identity"
	partReporting    = "reporting"
)

func temporalParts() []string {
	return []string{"temporal-frontend", "temporal-history", "temporal-matching"}
}

func portNames() []string {
	return append(temporalParts(), partProvider, partPanel, partLease, partTraffic, partTrafficAdmin, partDNS, partLeeds, partDublin,
		partFlags, partLoyalty, partTax, partERP, partOutlets, partMail, partMailbox, partIdentity, partReporting)
}

// namespace is where the demo's processes live.
const namespace = "keyholder"

// keyOfTemporal is the file with the key of what the demo's processes keep.
const keyOfTemporal = "temporal-key"

// demo is one demo: its folder, its addresses and its settings.
type demo struct {
	folder   stack.Folder
	ports    stack.Ports
	settings config.Config
	client   stack.Secret // of the portal at the provider
	tsig     stack.Secret // of the portal at the name server
	kept     stack.Secret // the key of what processes keep in Temporal
	room     string       // file with the address of the operations room's chat
	reports  stack.Secret // of the administrator of the reporting database
	signIn   string       // file with how the administrator signs in to it
	unable   error        // why this machine cannot run one
}

// open reads the settings and the folder, and chooses what is not chosen yet.
func open(ctx context.Context) (demo, error) {
	settings, err := config.Load("")
	if err != nil {
		return demo{}, err
	}
	d := demo{settings: settings}
	if d.folder, err = stack.Open(settings.DemoDir); err != nil {
		return d, err
	}
	if d.ports, err = d.folder.Ports(ctx, portNames()...); err != nil {
		return d, err
	}
	if d.client, err = d.folder.Secret("portal-client"); err != nil {
		return d, err
	}
	if d.tsig, err = d.folder.Secret("dns-key"); err != nil {
		return d, err
	}
	if d.kept, err = d.folder.Secret(keyOfTemporal); err != nil {
		return d, err
	}
	if d.reports, err = d.folder.Secret("reporting-administrator"); err != nil {
		return d, err
	}
	d.settings.Database = d.folder.Path("keyholder.db")
	d.settings.TemporalAddress = d.ports.Address(temporalParts()[0])
	d.settings.TemporalNamespace = namespace
	d.settings.TemporalKeys = "demo=file:" + d.kept.File
	d.settings.OIDCIssuer = "http://" + d.ports.Address(partProvider)
	d.settings.OIDCClientID = "keyholder"
	d.settings.OIDCClientSecret = "file:" + d.client.File
	d.settings.APIAudience = provider.APIAudience
	d.settings.MailServer, d.settings.MailFrom = "smtp://"+d.ports.Address(partMail), "keyholder@retailer.example"
	_, d.unable = reporting.Find()
	d.signIn = d.folder.Path("reporting-sign-in")
	return d, errors.Join(d.writeRoom(), keep(d.signIn, d.reporting(nil).URL()+"\n"))
}

// writeRoom keeps the address of the operations room's chat as the secret that it is elsewhere.
func (d *demo) writeRoom() error {
	d.room = d.folder.Path("operations-room")
	address := "generic://" + d.ports.Address(partMailbox) + "/hooks/operations-room?disabletls=yes&template=json\n"
	return keep(d.room, address)
}

// keep writes a file whose content has changed.
func keep(path, content string) error {
	if raw, err := os.ReadFile(path); err == nil && string(raw) == content { //nolint:gosec // one of the demo's own files
		return nil
	}
	return stack.Replace(path, []byte(content))
}

// portsFree says which address is taken, before anything starts.
func (d demo) portsFree(ctx context.Context) error {
	if err := stack.CheckAddress(ctx, "portal", d.settings.Listen, "KEYHOLDER_LISTEN"); err != nil {
		return err
	}
	return d.ports.Check(ctx)
}

// parts are everything that the demo runs.
func (d demo) parts(log *slog.Logger) []stack.Part {
	parts := []stack.Part{
		{Name: "temporal", Run: func(ctx context.Context, ready func()) error { return temporal.Run(ctx, d.temporal(ready, log)) }},
		{Name: "provider", Run: func(ctx context.Context, ready func()) error { return provider.Run(ctx, d.provider(ready, log)) }},
		{Name: "mailbox", Run: func(ctx context.Context, ready func()) error { return mailbox.Run(ctx, d.mailbox(ready, log)) }},
		{Name: "shop", Run: func(ctx context.Context, ready func()) error { return shop.Run(ctx, d.shop(ready, log)) }},
		{Name: partIdentity, Run: func(ctx context.Context, ready func()) error {
			return identity.Run(ctx, identity.Config{Dir: d.folder.Path("identity"), Listen: d.ports.Address(partIdentity), Ready: ready})
		}},
		{Name: "portal", Run: func(ctx context.Context, ready func()) error {
			return d.portal(ctx, ready, log)
		}},
	}
	if d.unable == nil {
		parts = append(parts, stack.Part{Name: partReporting, Run: func(ctx context.Context, ready func()) error {
			return reporting.Run(ctx, d.reporting(ready))
		}})
	}
	return parts
}

func (d demo) reporting(ready func()) reporting.Config {
	return reporting.Config{Dir: d.folder.Path(), Listen: d.ports.Address(partReporting), Password: d.reports.Value, Ready: ready}
}

func (d demo) temporal(ready func(), log *slog.Logger) temporal.Config {
	names := temporalParts()
	return temporal.Config{
		Dir: d.folder.Path("temporal"), Namespace: namespace, Ready: ready, Log: log,
		Ports: temporal.Ports{
			Frontend: d.ports.Port(names[0]), History: d.ports.Port(names[1]), Matching: d.ports.Port(names[2]),
		},
	}
}

func (d demo) provider(ready func(), log *slog.Logger) provider.Config {
	return provider.Config{
		Listen: d.ports.Address(partProvider), Issuer: d.settings.OIDCIssuer, Dir: d.folder.Path("provider"),
		ClientID: d.settings.OIDCClientID, ClientSecret: d.client.Value,
		RedirectURIs:           []string{d.settings.PublicURL + signin.CallbackPath},
		PostLogoutRedirectURIs: []string{d.settings.PublicURL + "/signed-out"},
		Ready:                  ready, Log: log,
	}
}

func (d demo) mailbox(ready func(), log *slog.Logger) mailbox.Config {
	return mailbox.Config{Mail: d.ports.Address(partMail), Page: d.ports.Address(partMailbox), Dir: d.folder.Path("mailbox"), Ready: ready, Log: log}
}

func (d demo) shop(ready func(), log *slog.Logger) shop.Config {
	return shop.Config{
		Dir: d.folder.Path("shop"), TSIGSecretFile: d.tsig.File, Ready: ready, Log: log,
		Addresses: shop.Addresses{
			Panel: d.ports.Address(partPanel), Lease: d.ports.Address(partLease), Traffic: d.ports.Address(partTraffic),
			TrafficAdmin: d.ports.Address(partTrafficAdmin), DNS: d.ports.Address(partDNS),
			Sites: map[string]string{"leeds": d.ports.Address(partLeeds), "dublin": d.ports.Address(partDublin)},
			Flags: d.ports.Address(partFlags), Loyalty: d.ports.Address(partLoyalty), Tax: d.ports.Address(partTax),
			ERP: d.ports.Address(partERP), Outlets: d.ports.Address(partOutlets),
		},
	}
}

// portal runs the product with its worker, on a database that is migrated and has the shop's catalogue.
func (d demo) portal(ctx context.Context, ready func(), log *slog.Logger) error {
	if err := app.Migrate(ctx, d.settings); err != nil {
		return err
	}
	path, err := d.writeCatalog()
	if err != nil {
		return err
	}
	first, err := d.firstStart(ctx)
	if err != nil {
		return err
	}
	if first { // later changes of plans and policies are the user's and stay
		if _, err := app.ApplyFiles(ctx, d.settings, []string{path}, store.Manner{Why: "The demo's catalogue"}); err != nil {
			return err
		}
	}
	return app.Run(ctx, d.settings, app.Parts{Portal: true, Worker: true, Ready: ready}, log)
}

func (d demo) firstStart(ctx context.Context) (bool, error) {
	s, err := store.Open(ctx, d.settings.Database, nil)
	if err != nil {
		return false, err
	}
	plans, err := s.Plans(ctx)
	return len(plans) == 0, errors.Join(err, s.Close())
}

// reportingAddress is where the reporting database listens; nothing, where this machine cannot run one.
func (d demo) reportingAddress() string {
	if d.unable != nil {
		return ""
	}
	return d.ports.Address(partReporting)
}

// writeCatalog writes the shop's catalogue as a file that people can read and apply anew.
func (d demo) writeCatalog() (string, error) {
	body, err := retailer.Catalog(retailer.Addresses{
		Leeds: d.ports.Address(partLeeds), Dublin: d.ports.Address(partDublin), Lease: d.ports.Address(partLease),
		TrafficAdmin: d.ports.Address(partTrafficAdmin), DNS: d.ports.Address(partDNS), Panel: d.ports.Address(partPanel),
		TSIGFile: d.tsig.File, OperationsRoom: d.room,
		Flags: d.ports.Address(partFlags), Loyalty: d.ports.Address(partLoyalty), Tax: d.ports.Address(partTax), ERP: d.ports.Address(partERP),
		Identity: d.ports.Address(partIdentity), Reporting: d.reportingAddress(), ReportingFile: d.signIn,
	})
	if err != nil {
		return "", err
	}
	path := d.folder.Path("catalog.yaml")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.WriteFile(path, body, 0o600); err != nil {
		return "", fmt.Errorf("write the catalogue: %w", err)
	}
	return path, nil
}
