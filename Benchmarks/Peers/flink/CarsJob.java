import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.UUID;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.connector.jdbc.JdbcConnectionOptions;
import org.apache.flink.connector.jdbc.JdbcExactlyOnceOptions;
import org.apache.flink.connector.jdbc.JdbcExecutionOptions;
import org.apache.flink.connector.jdbc.core.datastream.sink.JdbcSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.formats.json.JsonDeserializationSchema;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.postgresql.xa.PGXADataSource;

/** Records of a topic into a table: CarsJob shipped|tuned GROUP [CHECKPOINT to go on from]. */
public class CarsJob {
    public static class Car {
        public long seq;
        public String timestamp;
        public String stream_id;
        public String location;
        public Double longitude;
        public Double latitude;
        public Integer numbers_of_cars;
        public String label;
        public String type;
    }

    static void bind(PreparedStatement statement, Car car) throws SQLException {
        statement.setLong(1, car.seq);
        statement.setObject(2, OffsetDateTime.parse(car.timestamp));
        statement.setObject(3, UUID.fromString(car.stream_id));
        statement.setString(4, car.location);
        statement.setObject(5, car.longitude);
        statement.setObject(6, car.latitude);
        statement.setObject(7, car.numbers_of_cars);
        statement.setString(8, car.label);
        statement.setString(9, car.type);
    }

    static JdbcSink<Car> sink(boolean tuned) {
        String url = "jdbc:postgresql://" + env("PGHOST") + ":" + env("PGPORT") + "/" + env("PGDATABASE");
        String user = env("PGUSER"), password = env("PGPASSWORD");
        var builder = JdbcSink.<Car>builder().withQueryStatement(
            "INSERT INTO " + env("TABLE") + " (seq, \"timestamp\", stream_id, location, longitude, latitude,"
                + " numbers_of_cars, label, type) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", CarsJob::bind);
        if (!tuned) {
            // As the connector's documentation has it.
            return builder
                .withExecutionOptions(JdbcExecutionOptions.builder()
                    .withBatchSize(1000).withBatchIntervalMs(200).withMaxRetries(5).build())
                .buildAtLeastOnce(new JdbcConnectionOptions.JdbcConnectionOptionsBuilder()
                    .withUrl(url).withDriverName("org.postgresql.Driver").withUsername(user).withPassword(password).build());
        }
        return builder
            .withExecutionOptions(JdbcExecutionOptions.builder().withBatchSize(5000).withMaxRetries(0).build())
            // A connection of Postgres has one transaction at a time.
            .buildExactlyOnce(JdbcExactlyOnceOptions.builder().withTransactionPerConnection(true).build(), () -> {
                PGXADataSource source = new PGXADataSource();
                source.setUrl(url + "?reWriteBatchedInserts=true");
                source.setUser(user);
                source.setPassword(password);
                return source;
            });
    }

    public static void main(String[] arguments) throws Exception {
        boolean tuned = arguments[0].equals("tuned");
        Configuration configuration = new Configuration();
        configuration.set(RestOptions.BIND_PORT, "0");
        configuration.set(CoreOptions.TMP_DIRS, env("STATE") + "/tmp");
        configuration.set(CoreOptions.DEFAULT_PARALLELISM, tuned ? 2 : 1);
        configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofSeconds(tuned ? 1 : 10));
        configuration.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, "file://" + env("STATE") + "/checkpoints");
        configuration.set(CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION,
            ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
        if (arguments.length > 2) configuration.set(StateRecoveryOptions.SAVEPOINT_PATH, arguments[2]);

        KafkaSource<Car> source = KafkaSource.<Car>builder()
            .setBootstrapServers(env("BROKERS")).setTopics(env("TOPIC")).setGroupId(arguments[1])
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setValueOnlyDeserializer(new JsonDeserializationSchema<>(Car.class))
            .build();
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        if (tuned) environment.getConfig().enableObjectReuse();
        environment.fromSource(source, WatermarkStrategy.noWatermarks(), "topic").uid("topic")
            .sinkTo(sink(tuned)).uid("table");
        environment.execute("cars");
    }

    static String env(String name) {
        return System.getenv(name);
    }
}
