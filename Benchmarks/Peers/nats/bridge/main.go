// bridge shipped|tuned PORTS: publishes the value of each record of TOPIC to the subject feed of the server that wrote PORTS.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	tuned := os.Args[1] == "tuned"
	server := connect(os.Args[2])
	records := open(tuned)
	fmt.Println("ready")
	for {
		fetches := records.PollFetches(context.Background())
		check(fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) { check(server.Publish("feed", r.Value)) })
		if tuned {
			check(server.FlushTimeout(10 * time.Second))
		}
	}
}

// The server writes the ports that the kernel gave it to a file when it has them.
func connect(portsFile string) *nats.Conn {
	var ports struct{ NATS []string }
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		text, err := os.ReadFile(portsFile)
		if err == nil && json.Unmarshal(text, &ports) == nil && len(ports.NATS) > 0 {
			break
		}
		if time.Now().After(deadline) {
			log.Fatal("nats-server did not start")
		}
	}
	gone := func(*nats.Conn) { log.Fatal("nats-server is gone") }
	server, err := nats.Connect(ports.NATS[0], nats.NoReconnect(), nats.ClosedHandler(gone))
	check(err)
	return server
}

// From where the topic ends now: what comes after this is delivered.
func open(tuned bool) *kgo.Client {
	topic := os.Getenv("TOPIC")
	options := []kgo.Opt{kgo.SeedBrokers(strings.Split(os.Getenv("BROKERS"), ",")...)}
	if tuned {
		options = append(options, kgo.FetchMinBytes(64<<10), kgo.FetchMaxWait(20*time.Millisecond))
	}
	client, err := kgo.NewClient(options...)
	check(err)
	ends, err := kadm.NewClient(client).ListEndOffsets(context.Background(), topic)
	check(err)
	check(ends.Error())
	client.AddConsumePartitions(ends.KOffsets())
	return client
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
