// What measures latency and fan-out: records at a steady rate, and who reads them.
//
//     load pace BROKERS TOPIC RATE SECONDS                      records {"stream","seq","ts","pad"} of 200 bytes to partition 0
//     load consume BROKERS TOPIC WARM SECONDS                   a bare consumer of them
//     load clients PORT PATH SUBPROTOCOL NUMBER WARM SECONDS [FRAME…]
//                                                               WebSocket clients, which send frames and then only read
//
// Who reads prints `ready`, then one line: deliveries of records that were made within SECONDS after WARM, the median and the
// 99th percentile of milliseconds from when they were made, gaps and doubles.
#include <stdio.h>
#include <string.h>

#include "load.h"

int main(int count, char **arguments) {
  int result = 64;
  if (count > 1 && !strcmp(arguments[1], "pace")) result = pace(count, arguments);
  if (count > 1 && !strcmp(arguments[1], "consume")) result = consume(count, arguments);
  if (count > 1 && !strcmp(arguments[1], "clients")) result = clients(count, arguments);
  if (result == 64) fputs("load: wrong arguments, see Benchmarks/Load/main.c\n", stderr);
  return result;
}
