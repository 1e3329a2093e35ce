package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// kubelet serves the part of the kubelet's API that kubectl exec and kubectl logs use. kwok could run a local command
// instead, but on a port that asks nobody who they are: any user of the machine could run programs as this one.
type kubelet struct {
	world     *world
	network   *network
	workloads *workloads
}

// serveKubelet answers the API server alone: it must show a certificate of the cluster's authority.
func serveKubelet(ctx context.Context, listener net.Listener, pki string, r *runner) error {
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
	handler := kubelet{r.world, r.network, r.workloads}
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
