package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

func (k kubelet) exec(response http.ResponseWriter, request *http.Request) {
	options, err := remotecommand.NewOptions(request)
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	// The server stops to look after a connection that is upgraded, so we do.
	ctx, gone := context.WithCancel(request.Context())
	defer gone()
	pod := request.PathValue("namespace") + "/" + request.PathValue("pod")
	argv := request.URL.Query()["command"]
	remotecommand.ServeExec(watchedResponse{response, gone}, request.WithContext(ctx), k, pod, "", request.PathValue("container"), argv, options,
		time.Hour, remotecommand.DefaultStreamCreationTimeout, remotecommand.SupportedStreamingProtocols)
}

// ExecInContainer is remotecommand's Executor: any program of this machine, in the pod's namespace and without rights. Other
// than in a container, what it leaves in the background ends with it.
func (k kubelet) ExecInContainer(ctx context.Context, pod, _, container string, argv []string, in io.Reader, out, errOut io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize, _ time.Duration) error {
	if len(argv) == 0 {
		return errors.New("exec: no command")
	}
	var stderr io.Writer = errOut
	// With a terminal there is no second stream.
	if errOut == nil {
		stderr = out
	}
	if s := k.workloads.get(pod); s != nil {
		return exitError(k.execInWorkload(ctx, s, container, argv, in, out, stderr))
	}
	state, found := k.world.stateOf(pod)
	if !found || container != agentContainer {
		return fmt.Errorf("container not found (%q): in rehearsal the pods of kube-system run no commands, but for Cilium agents that are running", container)
	}
	return exitError(k.execInAgent(ctx, pod, state, argv, in, out, stderr))
}

func (k kubelet) execInWorkload(ctx context.Context, s *sandbox, container string, argv []string, in io.Reader, out, errOut io.Writer) (int, error) {
	s.mu.Lock()
	c := s.find(container)
	running := c != nil && c.status.State.Running != nil && !s.ended
	s.mu.Unlock()
	if !running {
		return 0, fmt.Errorf("container not found (%q): it is not running", container)
	}
	if k.world.isBlind(s.pod.Spec.NodeName) {
		argv = blinded(argv)
	}
	// The pod's end is the command's.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	return process{
		where: s.where, argv: argv, environment: environmentOf(s.pod, c.spec, s.ip, s.nodeIP), folder: c.spec.WorkingDir,
		netRaw: mayCapture(c.spec), companion: int(c.pid.Load()), in: in, out: out, errOut: errOut,
	}.run(ctx)
}

// execInAgent answers the commands that show the agent's state itself. All others see the node as its agent would.
func (k kubelet) execInAgent(ctx context.Context, pod string, state nodeState, argv []string, in io.Reader, out, errOut io.Writer) (int, error) {
	if argv[0] == "cilium-dbg" || argv[0] == "cilium" {
		stdout, stderr, exit := ciliumDbg(argv, state)
		io.WriteString(out, stdout)
		io.WriteString(errOut, stderr)
		return exit, nil
	}
	text, mine := ipXfrm(argv, state)
	if !mine {
		text, mine = wgShow(argv, state, time.Now().Add(state.clock))
	}
	if mine {
		_, err := io.WriteString(out, text)
		return 0, err
	}
	node := k.world.nodeOf(pod)
	if k.world.isBlind(node) {
		argv = blinded(argv)
	}
	p := process{argv: argv, environment: map[string]string{"PATH": pathOfPrograms, "LANG": "C.UTF-8"}, netRaw: true, in: in, out: out, errOut: errOut}
	if on := k.network.node(node); on != nil {
		p.where = on.Namespace()
	}
	return p.run(ctx)
}

// exitError is how remotecommand is told of an exit code.
func exitError(exit int, err error) error {
	if err != nil || exit == 0 {
		return err
	}
	return utilexec.CodeExitError{Err: fmt.Errorf("command terminated with exit code %d", exit), Code: exit}
}

// watchedResponse tells when the connection that is taken over from it ends.
type watchedResponse struct {
	http.ResponseWriter
	gone func()
}

// Hijack is http.Hijacker.
func (w watchedResponse) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early, err := buffered.Reader.Peek(buffered.Reader.Buffered())
	if err != nil {
		return nil, nil, err
	}
	watched := watchedConnection{conn, w.gone}
	reader := bufio.NewReader(io.MultiReader(bytes.NewReader(bytes.Clone(early)), watched))
	return watched, bufio.NewReadWriter(reader, buffered.Writer), nil
}

// Unwrap is for http.ResponseController.
func (w watchedResponse) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type watchedConnection struct {
	net.Conn
	gone func()
}

func (c watchedConnection) Read(data []byte) (int, error) {
	n, err := c.Conn.Read(data)
	if err != nil {
		c.gone()
	}
	return n, err
}
