package temporal

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"

	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/membership/static"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
)

const (
	loopback = "127.0.0.1"
	// fileShards is kept in the file at its first start and cannot be changed afterwards. Measured: four cost nothing at a
	// start and make a step a little cheaper than one.
	fileShards = 4
	// pollsPerSecond lifts the queues' limit of 20 polls a second and shard, which costs up to 50 ms a step.
	pollsPerSecond = 2000
)

// Ports are where the parts of the server listen, all of them on 127.0.0.1. They may differ from start to start: hosts
// are static and nothing about them is kept in the file.
type Ports struct {
	Frontend int // the one clients dial
	History  int
	Matching int
}

func (p Ports) missing() bool { return p.Frontend <= 0 || p.History <= 0 || p.Matching <= 0 }

// Config says where the server keeps its state and where it listens.
type Config struct {
	Dir       string    // kept between starts; made if it is missing; not asked for with Postgres
	Postgres  *Postgres // keeps the state in place of a file in Dir; may be nil
	Ports     Ports
	Namespace string
	Ready     func() // called once, when a workflow can be started; may be nil
	Log       *slog.Logger
}

func (c Config) validate() error {
	switch {
	case c.Dir == "" && c.Postgres == nil:
		return errors.New("temporal: no folder given")
	case c.Namespace == "":
		return errors.New("temporal: no namespace given")
	case c.Ports.missing():
		return errors.New("temporal: frontend, history and matching each need a port")
	case c.Log == nil:
		return errors.New("temporal: no log given")
	}
	return nil
}

// Address is what clients dial.
func (c Config) Address() string { return address(c.Ports.Frontend) }

func (c Config) file() string { return filepath.Join(c.Dir, "temporal.db") }

func address(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

// stores are where the workflows are kept, and the list of them.
func (c Config) stores() (state, visibility *config.SQL) {
	if c.Postgres != nil {
		return c.Postgres.store(c.Postgres.State), c.Postgres.store(c.Postgres.Visibility)
	}
	file := c.fileStore()
	return file, file
}

func (c Config) shards() int32 {
	if c.Postgres != nil {
		return postgresShards
	}
	return fileShards
}

// fileStore must be the same value for every user of the file in this process: the plugin keeps one connection for each
// distinct set of attributes, and SQLite has one writer.
func (c Config) fileStore() *config.SQL {
	return &config.SQL{
		PluginName:   sqliteplugin.PluginName,
		DatabaseName: c.file(),
		ConnectAttributes: map[string]string{
			"mode":         "rwc",
			"journal_mode": "wal",
			// A killed process loses nothing with normal; a power cut may lose the last commits but no consistency.
			"synchronous":  "normal",
			"busy_timeout": "5000",
			// Pages, 16 MB: with SQLite's thousand every eightieth commit or so waits for the disk.
			"wal_autocheckpoint": "4000",
		},
	}
}

func (c Config) server() *config.Config {
	state, visibility := c.stores()
	disabled := config.ArchivalNamespaceDefaults{
		History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
		Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
	}
	return &config.Config{
		Persistence: config.Persistence{
			DefaultStore: "state", VisibilityStore: "visibility",
			NumHistoryShards: c.shards(),
			DataStores:       map[string]config.DataStore{"state": {SQL: state}, "visibility": {SQL: visibility}},
		},
		ClusterMetadata:     clusterMetadata(c.Address()),
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services: map[string]config.Service{
			string(primitives.FrontendService): service(c.Ports.Frontend),
			string(primitives.HistoryService):  service(c.Ports.History),
			string(primitives.MatchingService): service(c.Ports.Matching),
		},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: "disabled"},
			Visibility: config.VisibilityArchival{State: "disabled"},
		},
		NamespaceDefaults: config.NamespaceDefaults{Archival: disabled},
		PublicClient:      config.PublicClient{HostPort: c.Address()},
	}
}

func service(port int) config.Service {
	return config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: loopback}}
}

const clusterName = "active"

func clusterMetadata(rpcAddress string) *cluster.Config {
	return &cluster.Config{
		FailoverVersionIncrement: 10,
		MasterClusterName:        clusterName,
		CurrentClusterName:       clusterName,
		ClusterInformation: map[string]cluster.ClusterInformation{
			clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: rpcAddress},
		},
	}
}

// hosts replaces the gossip between server processes, of which there is one: its ring would cost ports and seconds. The
// worker service does not run, but the server insists on an address for it; nothing dials it.
func (c Config) hosts() map[primitives.ServiceName]static.Hosts {
	return map[primitives.ServiceName]static.Hosts{
		primitives.FrontendService: static.SingleLocalHost(address(c.Ports.Frontend)),
		primitives.HistoryService:  static.SingleLocalHost(address(c.Ports.History)),
		primitives.MatchingService: static.SingleLocalHost(address(c.Ports.Matching)),
		primitives.WorkerService:   static.SingleLocalHost(address(c.Ports.Frontend)),
	}
}

func settings() dynamicconfig.StaticClient {
	return dynamicconfig.StaticClient{
		dynamicconfig.TransferProcessorMaxPollRPS.Key():   pollsPerSecond,
		dynamicconfig.TimerProcessorMaxPollRPS.Key():      pollsPerSecond,
		dynamicconfig.VisibilityProcessorMaxPollRPS.Key(): pollsPerSecond,
		// One partition of a task queue is enough for one process, and no task waits in one that is not polled.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,
		// The server's default, said because a step is measured with it: its activity comes with the answer to the workflow
		// task instead of by way of matching.
		dynamicconfig.EnableActivityEagerExecution.Key(): true,
	}
}

func (c Config) String() string {
	if c.Postgres != nil {
		return fmt.Sprintf("temporal at %s, state in PostgreSQL at %s", c.Address(), c.Postgres.Address)
	}
	return fmt.Sprintf("temporal at %s, state in %s", c.Address(), c.Dir)
}
