"""Scapy's IPsec, as another implementation to check ours against.

Reads a list of {"command", "preShared", "sender", "receiver", "senderBootID", "receiverBootID", "spi", "esn", ...} as JSON from
stdin, and writes a list of answers for each. "open" decrypts the ESP packets from sender to receiver in the file "pcap"; "seal"
makes ESP packets of "packets", numbered from 1.
"""
import hashlib
import ipaddress
import json
import sys

from scapy.layers.inet import IP
from scapy.layers.ipsec import ESP, SecurityAssociation
from scapy.utils import rdpcap


def tunnel_key(asked):
    """Derives the key from Cilium's description, without looking at ours."""
    pre_shared = bytes.fromhex(asked["preShared"])
    digest = hashlib.sha256() if len(pre_shared) <= 32 else hashlib.sha512()
    digest.update(pre_shared)
    for side in "sender", "receiver":
        digest.update(ipaddress.ip_address(asked[side]).packed)
    for side in "senderBootID", "receiverBootID":
        digest.update(asked[side].encode())
    return digest.digest()[: len(pre_shared)]


def association(asked):
    return SecurityAssociation(
        ESP,
        spi=asked["spi"],
        crypt_algo="AES-GCM",
        crypt_key=tunnel_key(asked),
        tunnel_header=IP(src=asked["sender"], dst=asked["receiver"]),
        esn_en=asked["esn"],
    )


def opened(asked):
    for frame in rdpcap(asked["pcap"]):
        if ESP not in frame or frame[IP].src != asked["sender"] or frame[IP].dst != asked["receiver"]:
            continue
        found = {"spi": frame[ESP].spi, "sequence": frame[ESP].seq}
        try:
            found["packet"] = bytes(association(asked).decrypt(frame[IP])).hex()
        except Exception as error:  # scapy lets some of the cipher library's through
            found["error"] = repr(error)
        yield found


def sealed(asked):
    for sequence, packet in enumerate(asked["packets"], 1):
        frame = association(asked).encrypt(IP(bytes.fromhex(packet)), seq_num=sequence)
        yield {"spi": frame[ESP].spi, "sequence": frame[ESP].seq, "packet": bytes(frame[ESP]).hex()}


commands = {"open": opened, "seal": sealed}
json.dump([list(commands[asked["command"]](asked)) for asked in json.load(sys.stdin)], sys.stdout)
