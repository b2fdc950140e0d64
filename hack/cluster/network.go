package main

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"slices"
	"strings"
)

// bridgeMAC is fixed: a bridge without an address of its own takes the lowest of its ports', which changes as pods come
// and go, and pods that know the old one lose their gateway for a while.
const bridgeMAC = "02:67:72:6f:75:6e"

// createNetwork makes the bridge that pods are plugged into, with the node's address, and the table that lets pods reach
// the world beyond the host.
func (c *cluster) createNetwork(ctx context.Context) error {
	if _, err := net.InterfaceByName(bridgeName); err != nil {
		if err := c.command(ctx, "ip", "link", "add", bridgeName, "address", bridgeMAC, "type", "bridge"); err != nil {
			return err
		}
	}
	if err := c.command(ctx, "ip", "address", "replace", nodeIP+"/"+nodePrefix, "dev", bridgeName); err != nil {
		return err
	}
	if err := c.command(ctx, "ip", "link", "set", bridgeName, "up"); err != nil {
		return err
	}
	return c.command(ctx, "nft", "-f", c.config("nat.nft"))
}

// tables are the nftables tables of the cluster; kube-proxy's names are fixed.
func tables() []string {
	return []string{"ip " + natTable, "ip kube-proxy", "ip6 kube-proxy"}
}

// presentTables returns which of the cluster's tables exist.
func (c *cluster) presentTables(ctx context.Context) ([]string, error) {
	list, err := c.output(ctx, "nft", "list", "tables")
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(tables(), func(t string) bool {
		return !slices.Contains(strings.Split(list, "\n"), "table "+t)
	}), nil
}

// removeNetwork takes the tables and the bridge away, and the pods' ends of their links if the kernel has not yet done so.
func (c *cluster) removeNetwork(ctx context.Context) error {
	present, err := c.presentTables(ctx)
	for _, table := range present {
		err = errors.Join(err, c.command(ctx, "nft", "delete table "+table))
	}
	ports, _ := filepath.Glob("/sys/class/net/" + bridgeName + "/brif/veth*")
	for _, port := range ports {
		name := filepath.Base(port)
		if e := c.command(ctx, "ip", "link", "delete", name); e != nil {
			if _, gone := net.InterfaceByName(name); gone == nil {
				err = errors.Join(err, e)
			}
		}
	}
	if _, e := net.InterfaceByName(bridgeName); e == nil {
		err = errors.Join(err, c.command(ctx, "ip", "link", "delete", bridgeName))
	}
	return err
}
