package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"wirecloak/rehearsal/agent/wire"

	corev1 "k8s.io/api/core/v1"
)

// servePage is the web server of containers whose image is one: it answers everything with a page that names the pod. It
// runs in this process, with a socket of the pod's namespace, until the life ends.
func servePage(life context.Context, where *wire.Namespace, port int32, pod *corev1.Pod, log io.Writer) error {
	var listener net.Listener
	err := where.Do(func() (err error) {
		listener, err = net.Listen("tcp4", fmt.Sprintf(":%d", port))
		return err
	})
	if err != nil {
		return err
	}
	name := html.EscapeString(pod.Namespace + "/" + pod.Name)
	page := fmt.Sprintf("<!DOCTYPE html>\n<title>%s</title>\n<h1>Welcome to %s on %s</h1>\n<p>The rehearsal's stand-in for a web server.</p>\n",
		name, name, html.EscapeString(pod.Spec.NodeName))
	server := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		// Clients that break off are no news.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		Handler: http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
			fmt.Fprintf(log, "%s \"%s %s\" 200\n", request.RemoteAddr, request.Method, request.URL.EscapedPath())
			response.Header().Set("Content-Type", "text/html; charset=utf-8")
			io.WriteString(response, page)
		}),
	}
	context.AfterFunc(life, func() { server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
