// bridge shipped|tuned: publishes the records of TOPIC to the channel feed of the server at PORT, a fetch a request.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

var api = "http://127.0.0.1:" + os.Getenv("PORT") + "/api/"

func main() {
	for deadline := time.Now().Add(30 * time.Second); post("info", []byte("{}")) != nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			log.Fatal("Centrifugo did not start")
		}
	}
	records := open(os.Args[1] == "tuned")
	fmt.Println("ready")
	for {
		fetches := records.PollFetches(context.Background())
		check(fetches.Err())
		var commands []string
		fetches.EachRecord(func(r *kgo.Record) {
			commands = append(commands, `{"publish":{"channel":"feed","data":`+string(r.Value)+`}}`)
		})
		if len(commands) > 0 {
			check(post("batch", []byte(`{"commands":[`+strings.Join(commands, ",")+`]}`)))
		}
	}
}

func post(method string, body []byte) error {
	response, err := http.Post(api+method, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body) // to its end, so that the connection can be used again
	if err == nil && (response.StatusCode != 200 || bytes.Contains(answer, []byte(`"error":`))) {
		err = fmt.Errorf("%s: %s: %.300s", method, response.Status, answer)
	}
	return err
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
