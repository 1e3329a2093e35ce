package wire

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// run starts a shell command in a namespace and gives what it says and how it ends.
func run(t *testing.T, namespace *Namespace, confinement *Confinement, script string) (string, error) {
	t.Helper()
	var said strings.Builder
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", &said, &said
	if confinement != nil {
		confinement.Confine(cmd)
	}
	must(t, namespace.Start(cmd))
	err := cmd.Wait()
	return strings.TrimSpace(said.String()), err
}

func TestProgramsRunInTheNamespace(t *testing.T) {
	t.Parallel()
	lan := newTestLAN(t, 2)
	for i := 1; i <= 2; i++ {
		node := lan.Node(nodeName(i)).Namespace()
		info, err := node.file.Stat()
		must(t, err)
		want := fmt.Sprintf("net:[%d]", info.Sys().(*syscall.Stat_t).Ino)
		if got, err := run(t, node, nil, "readlink /proc/self/ns/net"); got != want || err != nil {
			t.Errorf("a program runs in %s, not in %s (%v)", got, want, err)
		}
	}
	if got, err := run(t, lan.Namespace(), nil, "exit 7"); err == nil || err.Error() != "exit status 7" {
		t.Errorf("how it ends is lost: %v %s", err, got)
	}
	if err := lan.Namespace().Start(exec.Command("/no/such/program")); err == nil {
		t.Error("a program that does not exist was started")
	}
}

func TestProgramsOutliveThreadsAndHaveTheirOwnGroup(t *testing.T) {
	t.Parallel()
	lan := newTestLAN(t, 0)
	cmd := exec.Command("sleep", "60")
	must(t, lan.Namespace().Start(cmd))
	group, err := syscall.Getpgid(cmd.Process.Pid)
	if err != nil || group != cmd.Process.Pid {
		t.Errorf("its group is %d, it is %d (%v)", group, cmd.Process.Pid, err)
	}
	// Each Do ends a thread; the kernel would take one that had started the program for its parent.
	for range 50 {
		must(t, lan.Namespace().Do(func() error { return nil }))
	}
	runtime.GC()
	time.Sleep(50 * time.Millisecond)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		t.Fatalf("it ended by itself: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	must(t, syscall.Kill(-group, syscall.SIGKILL))
	<-ended
}

// TestProgramsDieWithTheirParent starts itself as that parent.
func TestProgramsDieWithTheirParent(t *testing.T) {
	const role = "WIRE_TEST_PARENT"
	if os.Getenv(role) != "" {
		beParent(t)
		return
	}
	if err := Available(); err != nil {
		cannotRun(t, err.Error())
	}
	parent := exec.Command(os.Args[0], "-test.run=^TestProgramsDieWithTheirParent$")
	parent.Env = append(os.Environ(), role+"=1")
	said, err := parent.StdoutPipe()
	must(t, err)
	must(t, parent.Start())
	var children []string
	for lines := bufio.NewScanner(said); len(children) < 3 && lines.Scan(); {
		if child, ok := strings.CutPrefix(lines.Text(), "child "); ok {
			children = append(children, child)
		}
	}
	if len(children) != 3 {
		t.Fatalf("the parent started %v", children)
	}
	for _, child := range children {
		if !isAlive(child) {
			t.Errorf("%s is dead before its parent", child)
		}
	}
	must(t, parent.Process.Kill())
	_ = parent.Wait()
	for _, child := range children {
		for deadline := time.Now().Add(inTime); isAlive(child); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s outlives its parent", child)
			}
		}
	}
}

// beParent starts programs with all rights, with none and with raw sockets, and waits for its end.
func beParent(t *testing.T) {
	namespace, err := newNamespace()
	must(t, err)
	for _, confinement := range []*Confinement{nil, {}, {RawSockets: true}} {
		cmd := exec.Command("sleep", "60")
		cmd.Dir = "/"
		if confinement != nil {
			confinement.Confine(cmd)
		}
		must(t, namespace.Start(cmd))
		fmt.Printf("child %d\n", cmd.Process.Pid)
	}
	time.Sleep(time.Minute)
}

// isAlive: neither gone nor a zombie that nobody has waited for.
func isAlive(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}

func TestConfinedProgramsHaveNoRights(t *testing.T) {
	t.Parallel()
	lan := newTestLAN(t, 1)
	pod := addPod(t, lan, 1, "pod")
	secret := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(secret, []byte("root's"), 0o600))
	must(t, os.Chmod(filepath.Dir(secret), 0o755))
	for _, confinement := range []Confinement{{}, {RawSockets: true}} {
		for script, want := range map[string]string{
			"id -u; id -g; id -G":                                                    "65534\n65534\n65534",
			"cat " + secret + " 2>/dev/null || echo denied":                          "denied",
			"(echo gone > " + secret + ") 2>/dev/null || echo denied":                "denied",
			"ls /proc/" + fmt.Sprint(os.Getpid()) + "/fd 2>/dev/null || echo denied": "denied",
			"ip link set eth0 down 2>/dev/null || echo denied":                       "denied",
			"grep NoNewPrivs /proc/self/status":                                      "NoNewPrivs:\t1",
			"grep CapPrm /proc/self/status":                                          map[bool]string{false: "CapPrm:\t0000000000000000", true: "CapPrm:\t0000000000002000"}[confinement.RawSockets],
		} {
			if got, _ := run(t, pod.Namespace(), &confinement, script); got != want {
				t.Errorf("%+v: %s says %q, not %q", confinement, script, got, want)
			}
		}
	}
	if got, _ := run(t, pod.Namespace(), nil, "cat "+secret); got != "root's" {
		t.Errorf("not confined, root cannot read its own file: %q", got)
	}
}

func TestConfinedProgramsMayServeLowPortsAndPing(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("python3"); err != nil {
		cannotRun(t, "there is no python3")
	}
	pod := addPod(t, newTestLAN(t, 1), 1, "pod")
	for _, socket := range []string{"socket().bind(('', 80))", "socket(type=SOCK_DGRAM, proto=IPPROTO_ICMP)"} {
		if got, err := run(t, pod.Namespace(), &Confinement{}, `python3 -c "from socket import *; `+socket+`"`); err != nil {
			t.Errorf("%s: %v: %s", socket, err, got)
		}
	}
}

func TestCapturesTakeRawSockets(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("tcpdump"); err != nil {
		cannotRun(t, "there is no tcpdump")
	}
	lan := newTestLAN(t, 2)
	a, b := addPod(t, lan, 1, "a"), addPod(t, lan, 2, "b")
	applyToAll(t, lan, Datapath{Tunnel: true})
	if got, err := run(t, a.Namespace(), &Confinement{}, "timeout 2 tcpdump -i eth0 -c 1"); err == nil || !strings.Contains(got, "permission") {
		t.Errorf("tcpdump without raw sockets: %v: %s", err, got)
	}
	stop := make(chan struct{})
	defer close(stop)
	must(t, a.Namespace().Do(func() error {
		socket, err := net.Dial("udp4", b.IP().String()+":9")
		go func() {
			defer socket.Close()
			for {
				select {
				case <-stop:
					return
				case <-time.After(5 * time.Millisecond):
					_, _ = socket.Write([]byte("something to see"))
				}
			}
		}()
		return err
	}))
	for where, namespace := range map[string]*Namespace{"eth0": a.Namespace(), Bridge: lan.Namespace()} {
		got, err := run(t, namespace, &Confinement{RawSockets: true}, "timeout 3 tcpdump -i "+where+" -c 1 -nn -l -U udp")
		if err != nil || !strings.Contains(got, b.IP().String()+".9") {
			t.Errorf("tcpdump with raw sockets at %s: %v: %s", where, err, got)
		}
	}
}

func TestACompanionIsSeenAndTakesTheOthersWithIt(t *testing.T) {
	t.Parallel()
	namespace := newTestLAN(t, 0).Namespace()
	first := exec.Command("sleep", "60")
	first.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	must(t, namespace.Start(first))
	beside := func(script string) *exec.Cmd {
		cmd := exec.Command("sh", "-c", script)
		must(t, namespace.StartBeside(cmd, first.Process.Pid))
		return cmd
	}
	one := beside("exec sleep 60")
	// The first process is 1 there, and the one after it 2: what one is told, another can end.
	must(t, beside("kill -0 2").Wait())
	must(t, beside("kill 2").Wait())
	if err := one.Wait(); err == nil {
		t.Error("another process of the container could not end it")
	}
	two := beside("exec sleep 60")
	must(t, first.Process.Kill())
	// The first process has ended only when all others are waited for.
	if err := two.Wait(); err == nil {
		t.Error("it outlived the first process of its container")
	}
	_ = first.Wait()
	if got, err := run(t, namespace, nil, "readlink /proc/self/ns/pid"); err != nil || got == "" {
		t.Errorf("programs without a companion start no more: %v %s", err, got)
	}
}
