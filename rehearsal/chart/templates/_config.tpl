{{/*
The data of ConfigMap cilium-config, as a YAML map. Which keys a version renders is taken from `helm template` of the official
charts, and a test holds this to it.
*/}}
{{- define "cilium.config" -}}
{{- $minor := include "cilium.minor" . | int -}}
{{- $v := .Values -}}
{{- $config := dict
  "agent-not-ready-taint-key" $v.agentNotReadyTaintKey
  "auto-direct-node-routes" $v.autoDirectNodeRoutes
  "cluster-id" $v.cluster.id
  "cluster-name" $v.cluster.name
  "debug" $v.debug.enabled
  "dnsproxy-enable-transparent-mode" (dig "enableTransparentMode" true $v.dnsProxy)
  "enable-hubble" $v.hubble.enabled
  "enable-ipv4" $v.ipv4.enabled
  "enable-ipv4-masquerade" (kindIs "invalid" $v.enableIPv4Masquerade | ternary true $v.enableIPv4Masquerade)
  "enable-ipv6" $v.ipv6.enabled
  "enable-l7-proxy" $v.l7Proxy
  "identity-allocation-mode" "crd"
  "ipam" $v.ipam.mode
  "kube-proxy-replacement" $v.kubeProxyReplacement
  "routing-mode" ($v.routingMode | default "tunnel")
  "tunnel-protocol" ($v.tunnelProtocol | default "vxlan")
-}}
{{- with $v.tunnelPort }}{{ $_ := set $config "tunnel-port" . }}{{ end -}}
{{- with $v.ipv4NativeRoutingCIDR }}{{ $_ := set $config "ipv4-native-routing-cidr" . }}{{ end -}}
{{- if not (kindIs "invalid" $v.bpf.hostLegacyRouting) }}{{ $_ := set $config "enable-host-legacy-routing" $v.bpf.hostLegacyRouting }}{{ end -}}
{{- if not (kindIs "invalid" $v.bpf.masquerade) }}{{ $_ := set $config "enable-bpf-masquerade" $v.bpf.masquerade }}{{ end -}}
{{- if $v.hostFirewall.enabled }}{{ $_ := set $config "enable-host-firewall" true }}{{ end -}}
{{- if eq $v.ipam.mode "cluster-pool" -}}
{{- $_ := set $config "cluster-pool-ipv4-cidr" (join " " $v.ipam.operator.clusterPoolIPv4PodCIDRList) -}}
{{- $_ := set $config "cluster-pool-ipv4-mask-size" $v.ipam.operator.clusterPoolIPv4MaskSize -}}
{{- end -}}
{{- if $v.hubble.enabled -}}
{{- $_ := set $config "hubble-socket-path" $v.hubble.socketPath -}}
{{- $_ := set $config "hubble-listen-address" $v.hubble.listenAddress -}}
{{- $_ := set $config "hubble-disable-tls" (not $v.hubble.tls.enabled) -}}
{{- end -}}
{{- include "cilium.encryptionConfig" (dict "config" $config "encryption" $v.encryption "minor" $minor) -}}
{{/* The official charts append it to the map, so it wins over everything. */}}
{{- $config = merge (deepCopy ($v.extraConfig | default dict)) $config -}}
{{- range $key, $value := $config }}
{{ $key }}: {{ $value | toString | quote }}
{{- end }}
{{- end }}

{{- define "cilium.encryptionConfig" -}}
{{- $config := .config -}}
{{- $encryption := .encryption -}}
{{- if $encryption.enabled -}}
{{- if eq $encryption.type "ipsec" -}}
{{- $ipsec := $encryption.ipsec -}}
{{- $_ := set $config "enable-ipsec" true -}}
{{- $_ := set $config "ipsec-key-file" (printf "%s/%s" $ipsec.mountPath $ipsec.keyFile) -}}
{{- $_ := set $config "enable-ipsec-key-watcher" $ipsec.keyWatcher -}}
{{- with $ipsec.keyRotationDuration }}{{ $_ := set $config "ipsec-key-rotation-duration" . }}{{ end -}}
{{/* Removed in 1.20. */}}
{{- if lt .minor 20 -}}
{{- $_ := set $config "enable-ipsec-encrypted-overlay" $ipsec.encryptedOverlay -}}
{{- with $ipsec.interface }}{{ $_ := set $config "encrypt-interface" . }}{{ end -}}
{{- end -}}
{{/* Nothing is rendered for any other spelling, not even an error. */}}
{{- else if eq $encryption.type "wireguard" -}}
{{- $_ := set $config "enable-wireguard" true -}}
{{- with $encryption.wireguard.persistentKeepalive }}{{ $_ := set $config "wireguard-persistent-keepalive" . }}{{ end -}}
{{/* Removed in 1.17. */}}
{{- if and (lt .minor 17) $encryption.wireguard.userspaceFallback }}{{ $_ := set $config "enable-wireguard-userspace-fallback" true }}{{ end -}}
{{- else if and (eq $encryption.type "ztunnel") (ge .minor 19) -}}
{{- $_ := set $config "enable-ztunnel" true -}}
{{- end -}}
{{- if $encryption.nodeEncryption }}{{ $_ := set $config "encrypt-node" true }}{{ end -}}
{{- end -}}
{{/* Rendered even where encryption is off, as the official charts do. */}}
{{- $strict := $encryption.strictMode -}}
{{- if lt .minor 19 -}}
{{- if $strict.enabled -}}
{{- $_ := set $config "enable-encryption-strict-mode" true -}}
{{- $_ := set $config "encryption-strict-mode-cidr" $strict.cidr -}}
{{- $_ := set $config "encryption-strict-mode-allow-remote-node-identities" $strict.allowRemoteNodeIdentities -}}
{{- end -}}
{{- else -}}
{{/* 1.19 still takes the old spelling, 1.20 does not. */}}
{{- if and $strict.enabled (lt .minor 20) }}{{ include "cilium.strictEgress" (dict "config" $config "strict" $strict) }}{{ end -}}
{{- if $strict.egress.enabled }}{{ include "cilium.strictEgress" (dict "config" $config "strict" $strict.egress) }}{{ end -}}
{{- if $strict.ingress.enabled }}{{ $_ := set $config "enable-encryption-strict-mode-ingress" true }}{{ end -}}
{{- end -}}
{{- end }}

{{- define "cilium.strictEgress" -}}
{{- $_ := set .config "enable-encryption-strict-mode-egress" true -}}
{{- $_ := set .config "encryption-strict-egress-cidr" .strict.cidr -}}
{{- $_ := set .config "encryption-strict-egress-allow-remote-node-identities" .strict.allowRemoteNodeIdentities -}}
{{- end }}
