// wirecloak-agent plays all machines of a rehearsal cluster: their kubelets as far as Cilium's pods go, the Cilium agents
// in those pods, and the part of Cilium's operator that the agents need. kwok plays all other pods.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
)

const usage = `usage:
  wirecloak-agent run     --dir DIR --kubelet-port PORT [--wire auto|on|off]   play the machines until DIR/lease is gone
  wirecloak-agent nodes   --dir DIR < plan.json                               make the cluster's nodes those of the plan
  wirecloak-agent faults  --dir DIR [list|clear|reboot NODE|agent-crash NODE|set KIND NODE [--peer NODE] [--percent N] [--seconds N]]   order what goes wrong
  wirecloak-agent outside --dir DIR -- PROGRAM...                             run a program outside the nodes, such as tcpdump -i lan0
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := command(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "wirecloak-agent:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, arguments []string) error {
	if len(arguments) == 0 {
		return errors.New(usage)
	}
	flags := flag.NewFlagSet(arguments[0], flag.ContinueOnError)
	dir := flags.String("dir", "", "the cluster's folder")
	port := flags.Int("kubelet-port", 0, "where to serve the kubelets' API, on loopback")
	choice := flags.String("wire", wireAuto, "whether packets cross a wire: auto, on or off")
	if err := flags.Parse(arguments[1:]); err != nil {
		return err
	}
	if *dir == "" {
		return errors.New(usage)
	}
	switch arguments[0] {
	case "run":
		return run(ctx, *dir, *port, *choice)
	case "faults":
		return faultCommand(ctx, *dir, flags.Args(), os.Stdout)
	case "outside":
		return outside(ctx, *dir, flags.Args())
	case "nodes":
		config, err := clientConfig(*dir)
		if err != nil {
			return err
		}
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			return err
		}
		return makeNodes(ctx, client, os.Stdin)
	}
	return errors.New(usage)
}

func clientConfig(dir string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(dir, "kwok", "clusters", "k", "kubeconfig.yaml"))
	if err != nil {
		return nil, err
	}
	// One process stands for a thousand agents, so the limits meant for one do not fit.
	config.QPS, config.Burst = 1000, 2000
	return config, nil
}

func run(ctx context.Context, dir string, port int, choice string) error {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stdout, nil)))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		holdLease(ctx, dir)
		cancel()
	}()
	config, err := awaitControlPlane(ctx, dir)
	if err != nil {
		// The lease or a signal ended the wait: nothing failed.
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	custom, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	network, err := newNetwork(choice)
	if err != nil {
		return err
	}
	defer network.close()
	// Before any node is plugged in, so that nothing crosses without them.
	if err := network.restoreRules(filepath.Join(dir, "bridge.nft")); err != nil {
		return err
	}
	watched := watch(ctx, client)
	world := newWorld(watched.ciliumNodes, network.stats)
	runner := &runner{
		world: world, network: network, workloads: &workloads{pods: map[string]*sandbox{}},
		client: client, dynamic: custom, watched: watched,
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[task]()),
	}
	defer runner.workloads.endAll()
	watched.custom.changed = runner.ciliumNodesChanged
	if err := serveControl(ctx, dir, runner); err != nil {
		return err
	}
	runner.follow()
	runner.restore(ctx)
	if !watched.synced(ctx) {
		return nil
	}
	for range atOnce {
		go runner.work(ctx)
	}
	context.AfterFunc(ctx, runner.queue.ShutDown)
	slog.Info("playing the machines", "dir", dir)
	return serveKubelet(ctx, listener, pkiDir(dir), runner)
}

// awaitControlPlane waits for kwokctl to have started it: this process comes first, to hold the lease all the time.
func awaitControlPlane(ctx context.Context, dir string) (*rest.Config, error) {
	for {
		if config, err := clientConfig(dir); err == nil {
			client, err := kubernetes.NewForConfig(config)
			if err != nil {
				return nil, err
			}
			if _, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx); err == nil {
				return config, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// follow turns what happens in the cluster into pods to look at.
func (r *runner) follow() {
	all := func(any) {
		for _, key := range r.watched.pods.GetIndexer().ListKeys() {
			r.queue.Add(task{forAgent, key})
		}
	}
	for kind, source := range map[taskKind]cache.SharedIndexInformer{forAgent: r.watched.pods, forWorkload: r.watched.workloads} {
		add := func(object any) { r.queue.Add(task{kind, keyOf(object)}) }
		source.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: add, UpdateFunc: func(_, now any) { add(now) }, DeleteFunc: add,
		})
	}
	for _, source := range []cache.SharedIndexInformer{r.watched.configs, r.watched.secrets} {
		source.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: all, UpdateFunc: func(_, now any) { all(now) }, DeleteFunc: all})
	}
	r.watched.nodes.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) {
			if err := r.boot(context.Background(), object.(*corev1.Node)); err != nil {
				slog.Warn("a node could not be told its boot id", "err", err)
			}
			all(object)
			r.lookAgain(keyOf(object))
		},
		DeleteFunc: func(object any) { r.forget(context.Background(), keyOf(object)) },
	})
}
