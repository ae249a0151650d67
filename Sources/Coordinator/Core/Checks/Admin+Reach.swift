import Common
import Kafka

extension Admin {
    /// The cluster's id; or why there is none, in librdkafka's words where it has some.
    func requireCluster(at bootstrap: String) throws(StartError) -> String {
        if let id = clusterID() { return id }
        guard let failure = failure() else {
            throw StartError("Kafka at \(bootstrap) does not answer; check KAFKA_BOOTSTRAP_SERVERS", .unavailable)
        }
        if failure.isLogin {
            throw StartError(
                "Kafka at \(bootstrap) refuses the login: \(failure.message); check KAFKA_SASL_USERNAME, "
                    + "KAFKA_SASL_PASSWORD and KAFKA_SASL_MECHANISM", .configuration)
        }
        throw StartError(
            "Kafka at \(bootstrap) does not answer; check KAFKA_BOOTSTRAP_SERVERS and KAFKA_SECURITY_PROTOCOL: "
                + failure.message, .unavailable)
    }
}
