package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

// kubelet serves the part of the kubelet's API that kubectl exec and kubectl logs use. kwok could run a local command
// instead, but on a port that asks nobody who they are: any user of the machine could run programs as this one.
type kubelet struct{ world *world }

// serveKubelet answers the API server alone: it must show a certificate of the cluster's authority.
func serveKubelet(ctx context.Context, listener net.Listener, pki string, world *world) error {
	authority, err := os.ReadFile(filepath.Join(pki, "ca.crt"))
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	certificate, err := tls.LoadX509KeyPair(filepath.Join(pki, "admin.crt"), filepath.Join(pki, "admin.key"))
	if err != nil {
		return err
	}
	handler := kubelet{world}
	mux := http.NewServeMux()
	mux.HandleFunc("/exec/{namespace}/{pod}/{container}", handler.exec)
	mux.HandleFunc("/containerLogs/{namespace}/{pod}/{container}", handler.logs)
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		// Streams of commands are upgraded connections, which HTTP/2 has not.
		TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
			Certificates: []tls.Certificate{certificate}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
		},
	}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (k kubelet) exec(response http.ResponseWriter, request *http.Request) {
	options, err := remotecommand.NewOptions(request)
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	pod := request.PathValue("namespace") + "/" + request.PathValue("pod")
	argv := request.URL.Query()["command"]
	remotecommand.ServeExec(response, request, k, pod, "", request.PathValue("container"), argv, options,
		time.Hour, remotecommand.DefaultStreamCreationTimeout, remotecommand.SupportedStreamingProtocols)
}

// ExecInContainer is remotecommand's Executor: it runs the few commands that an agent's container has.
func (k kubelet) ExecInContainer(_ context.Context, pod, _, container string, argv []string, _ io.Reader, out, errOut io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize, _ time.Duration) error {
	state, found := k.world.stateOf(pod)
	if !found || container != agentContainer {
		return fmt.Errorf("container not found (%q): in rehearsal only running Cilium agents run commands", container)
	}
	if len(argv) == 0 || (argv[0] != "cilium-dbg" && argv[0] != "cilium") {
		return fmt.Errorf("exec: the rehearsal's agent has the command cilium-dbg, not %q", argv)
	}
	stdout, stderr, exit := ciliumDbg(argv, state)
	if _, err := io.WriteString(out, stdout); err != nil {
		return err
	}
	// With a terminal there is no second stream.
	if errOut != nil {
		io.WriteString(errOut, stderr)
	}
	if exit != 0 {
		return utilexec.CodeExitError{Err: fmt.Errorf("command terminated with exit code %d", exit), Code: exit}
	}
	return nil
}

func (k kubelet) logs(response http.ResponseWriter, request *http.Request) {
	for _, line := range k.world.logsOf(request.PathValue("namespace") + "/" + request.PathValue("pod")) {
		fmt.Fprintln(response, line)
	}
}
