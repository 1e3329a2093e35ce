package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// What a container's processes find in PATH: the programs of this machine, since there are no images here.
var programFolders = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

var pathOfPrograms = strings.Join(programFolders, ":")

// program is what a container runs. With neither part it runs nothing, and is said to run all the same.
type program struct {
	argv []string
	// httpPort is where the built-in server listens that stands for images of web servers.
	httpPort int32
}

// programOf decides what to run for a container. An image's own command is not known here: for web servers, by the image's
// name, something else serves; arguments alone are a command if they begin with a program of this machine.
func programOf(container corev1.Container, environment map[string]string, has func(program string) bool) program {
	if len(container.Command) > 0 {
		return program{argv: expanded(slices.Concat(container.Command, container.Args), environment)}
	}
	image := container.Image
	if slash := strings.LastIndex(image, "/"); slash >= 0 {
		image = image[slash+1:]
	}
	if strings.Contains(image, "nginx") || strings.Contains(image, "http") {
		for _, port := range container.Ports {
			return program{httpPort: port.ContainerPort}
		}
		return program{httpPort: 80}
	}
	if len(container.Args) > 0 && has(container.Args[0]) {
		return program{argv: expanded(container.Args, environment)}
	}
	return program{}
}

var reference = regexp.MustCompile(`\$\$|\$\([A-Za-z_][A-Za-z0-9_.-]*\)`)

// expanded replaces $(NAME) as Kubernetes does; $$ is a $, and names that are not set stay.
func expanded(words []string, environment map[string]string) []string {
	out := make([]string, 0, len(words))
	for _, word := range words {
		out = append(out, reference.ReplaceAllStringFunc(word, func(found string) string {
			if found == "$$" {
				return "$"
			}
			if value, ok := environment[found[2:len(found)-1]]; ok {
				return value
			}
			return found
		}))
	}
	return out
}

// environmentOf is what a container's processes find set: a little, plain values and fields of the pod. Nothing of this process's own.
func environmentOf(pod *corev1.Pod, container corev1.Container, ip netip.Addr, nodeIP string) map[string]string {
	environment := map[string]string{"PATH": pathOfPrograms, "HOME": "/", "HOSTNAME": pod.Name, "LANG": "C.UTF-8"}
	fields := map[string]string{
		"metadata.name": pod.Name, "metadata.namespace": pod.Namespace, "metadata.uid": string(pod.UID),
		"spec.nodeName": pod.Spec.NodeName, "spec.serviceAccountName": pod.Spec.ServiceAccountName,
		"status.podIP": ip.String(), "status.podIPs": ip.String(), "status.hostIP": nodeIP, "status.hostIPs": nodeIP,
	}
	for _, variable := range container.Env {
		switch {
		case variable.ValueFrom == nil:
			environment[variable.Name] = expanded([]string{variable.Value}, environment)[0]
		case variable.ValueFrom.FieldRef != nil:
			environment[variable.Name] = fields[variable.ValueFrom.FieldRef.FieldPath]
		}
	}
	return environment
}

func pairsOf(environment map[string]string) []string {
	pairs := make([]string, 0, len(environment))
	for name, value := range environment {
		pairs = append(pairs, name+"="+value)
	}
	slices.Sort(pairs)
	return pairs
}

// findProgram looks a program up among this machine's.
func findProgram(name string) (string, error) {
	candidates := []string{name}
	if !strings.Contains(name, "/") {
		candidates = nil
		for _, folder := range programFolders {
			candidates = append(candidates, filepath.Join(folder, name))
		}
	}
	for _, candidate := range candidates {
		if file, err := os.Stat(candidate); err == nil && file.Mode().IsRegular() && file.Mode()&0o111 != 0 {
			return candidate, nil
		}
	}
	return "", fmt.Errorf("exec: %q: executable file not found: this machine, whose programs rehearsal's containers run, has none", name)
}

func hasProgram(name string) bool {
	_, err := findProgram(name)
	return err == nil
}

// mayCapture: the one capability that a rehearsal's containers can be given.
func mayCapture(container corev1.Container) bool {
	context := container.SecurityContext
	return context != nil && context.Capabilities != nil &&
		slices.ContainsFunc(context.Capabilities.Add, func(capability corev1.Capability) bool {
			return capability == "NET_RAW" || capability == "CAP_NET_RAW"
		})
}
