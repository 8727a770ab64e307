/*
 * The tap: what tests and people ask a Kafka node over HTTP.
 *
 * It is built on the Java client, so that what the gateway wrote with
 * librdkafka is judged by another implementation of the protocol.  Every
 * request has its own client and bounded timeouts: a node that was killed,
 * frozen or restarted under the tap leaves nothing stale behind.
 *
 * usage: java -cp 'lib/*:classes' KafkaTap PORT BOOTSTRAP
 */

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public final class KafkaTap {

    private static final int THREADS = 8;

    /* All times in milliseconds. */
    private static final int HEALTH_TIMEOUT = 2000;
    private static final int CALL_TIMEOUT = 10000;
    private static final int SETTLE_TIMEOUT = 15000;
    private static final int STALL_TIMEOUT = 20000;
    private static final int CLOSE_TIMEOUT = 500;
    private static final int POLL_PAUSE = 50;
    private static final long MAX_WAIT = 300000;

    private static final AtomicLong CLIENTS = new AtomicLong();

    private final String bootstrap;


    /* An answer other than 200, chosen before anything was sent. */
    private static final class Refusal extends Exception {

        private static final long serialVersionUID = 1L;

        final int status;

        Refusal(int status, String text) {
            super(text);
            this.status = status;
        }
    }


    private static final class Range {

        final Map<TopicPartition, Long> beginning;
        final Map<TopicPartition, Long> end;
        final long records;

        Range(Map<TopicPartition, Long> beginning,
            Map<TopicPartition, Long> end)
        {
            long n = 0;

            for (Map.Entry<TopicPartition, Long> e : end.entrySet()) {
                n += e.getValue() - beginning.get(e.getKey());
            }

            this.beginning = beginning;
            this.end = end;
            this.records = n;
        }
    }


    private KafkaTap(String bootstrap) {
        this.bootstrap = bootstrap;
    }


    public static void main(String[] args) throws IOException {
        if (args.length != 2) {
            System.err.println("usage: KafkaTap PORT BOOTSTRAP");
            System.exit(2);
        }

        KafkaTap tap = new KafkaTap(args[1]);

        int port = Integer.parseInt(args[0]);
        HttpServer server = null;

        try {
            server = HttpServer.create(
                new InetSocketAddress(InetAddress.getByName("127.0.0.1"),
                                      port), 64);

        } catch (BindException e) {
            System.err.println("port " + port + " is taken: "
                               + e.getMessage());
            System.exit(1);
        }

        server.createContext("/", tap::handle);
        server.setExecutor(Executors.newFixedThreadPool(THREADS));
        server.start();
    }


    private void handle(HttpExchange x) throws IOException {
        try {
            x.getRequestBody().readAllBytes();
            route(x);

        } catch (Refusal e) {
            answer(x, e.status, "text/plain", e.getMessage() + "\n");

        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            failed(x, e);

        } catch (RuntimeException | ExecutionException e) {
            failed(x, e);
        }

        x.close();
    }


    /*
     * Once records are on their way the status cannot be taken back.  The
     * exception then goes on to the HTTP server, which drops the connection
     * without the last chunk, so that the client sees a cut answer and not
     * a short but complete one.
     */
    private static void failed(HttpExchange x, Exception e)
        throws IOException
    {
        Throwable cause = e;

        if (e instanceof ExecutionException && e.getCause() != null) {
            cause = e.getCause();
        }

        if (x.getResponseCode() != -1) {
            throw new IOException(cause);
        }

        answer(x, status(cause), "text/plain", cause + "\n");
    }


    private static int status(Throwable cause) {
        if (cause instanceof UnknownTopicOrPartitionException) {
            return 404;
        }

        if (cause instanceof InvalidTopicException
            || cause instanceof InvalidPartitionsException
            || cause instanceof InvalidReplicationFactorException
            || cause instanceof InvalidConfigurationException)
        {
            return 400;
        }

        return 503;
    }


    private void route(HttpExchange x)
        throws IOException, Refusal, ExecutionException, InterruptedException
    {
        String method = x.getRequestMethod();
        String[] path = x.getRequestURI().getPath().split("/", -1);
        Map<String, String> args = query(x.getRequestURI().getRawQuery());

        if (path.length == 2 && path[1].equals("health")) {
            require(method, "GET");
            health(x);
            return;
        }

        if (path.length < 3 || !path[1].equals("topics")
            || path[2].isEmpty())
        {
            throw new Refusal(404, "no such resource");
        }

        if (path.length == 3) {
            if (method.equals("PUT")) {
                create(x, path[2], args);

            } else {
                require(method, "DELETE");
                delete(x, path[2]);
            }

            return;
        }

        if (path.length == 4 && path[3].equals("records")) {
            require(method, "GET");
            records(x, path[2], args);
            return;
        }

        if (path.length == 4 && path[3].equals("end")) {
            require(method, "GET");
            end(x, path[2]);
            return;
        }

        throw new Refusal(404, "no such resource");
    }


    private static void require(String method, String wanted)
        throws Refusal
    {
        if (!method.equals(wanted)) {
            throw new Refusal(405, "the method here is " + wanted);
        }
    }


    private static Map<String, String> query(String raw) throws Refusal {
        Map<String, String> args = new LinkedHashMap<>();

        if (raw == null || raw.isEmpty()) {
            return args;
        }

        for (String pair : raw.split("&")) {
            int i = pair.indexOf('=');

            if (i < 1) {
                throw new Refusal(400, "argument without a value: " + pair);
            }

            try {
                args.put(URLDecoder.decode(pair.substring(0, i),
                                           StandardCharsets.UTF_8),
                         URLDecoder.decode(pair.substring(i + 1),
                                           StandardCharsets.UTF_8));

            } catch (IllegalArgumentException e) {
                throw new Refusal(400, "bad escape in " + pair);
            }
        }

        return args;
    }


    private static long number(Map<String, String> args, String name,
        long otherwise, long max)
        throws Refusal
    {
        long n;
        String s = args.remove(name);

        if (s == null) {
            return otherwise;
        }

        try {
            n = Long.parseLong(s);

        } catch (NumberFormatException e) {
            throw new Refusal(400, name + " is no number: " + s);
        }

        if (n < 0 || n > max) {
            throw new Refusal(400, name + " is not within 0.." + max);
        }

        return n;
    }


    /* A misspelled argument must not silently mean the default. */
    private static void rest(Map<String, String> args) throws Refusal {
        if (!args.isEmpty()) {
            throw new Refusal(400, "unknown argument "
                                   + args.keySet().iterator().next());
        }
    }


    private Admin admin(int timeout) {
        Map<String, Object> conf = new HashMap<>();

        conf.put("bootstrap.servers", bootstrap);
        conf.put("client.id", "tap-" + CLIENTS.incrementAndGet());
        conf.put("request.timeout.ms", Math.min(timeout, 5000));
        conf.put("default.api.timeout.ms", timeout);
        conf.put("reconnect.backoff.max.ms", 250);
        conf.put("enable.metrics.push", false);

        return Admin.create(conf);
    }


    private KafkaConsumer<byte[], byte[]> consumer() {
        Map<String, Object> conf = new HashMap<>();

        conf.put("bootstrap.servers", bootstrap);
        conf.put("client.id", "tap-" + CLIENTS.incrementAndGet());
        conf.put("enable.auto.commit", false);
        conf.put("allow.auto.create.topics", false);
        conf.put("auto.offset.reset", "earliest");
        conf.put("isolation.level", "read_committed");
        conf.put("request.timeout.ms", 5000);
        conf.put("default.api.timeout.ms", CALL_TIMEOUT);
        conf.put("reconnect.backoff.max.ms", 250);
        conf.put("max.poll.records", 5000);
        conf.put("fetch.max.bytes", 8 * 1024 * 1024);
        conf.put("enable.metrics.push", false);

        return new KafkaConsumer<>(conf, new ByteArrayDeserializer(),
                                   new ByteArrayDeserializer());
    }


    /*
     * The ids of the process and of the cluster let start tell its own pair
     * from a stranger on the same ports.
     */
    private void health(HttpExchange x)
        throws IOException, Refusal, ExecutionException, InterruptedException
    {
        int nodes;
        String cluster;
        Admin admin = admin(HEALTH_TIMEOUT);

        try {
            DescribeClusterResult d = admin.describeCluster();

            nodes = d.nodes().get().size();
            cluster = d.clusterId().get();

        } finally {
            admin.close(Duration.ofMillis(CLOSE_TIMEOUT));
        }

        /* A fenced broker answers, but lists nobody. */
        if (nodes == 0) {
            throw new Refusal(503, "no broker is in service");
        }

        answer(x, 200, "application/json",
               "{\"pid\":" + ProcessHandle.current().pid()
               + ",\"cluster\":" + quote(cluster) + ",\"bootstrap\":"
               + quote(bootstrap) + ",\"brokers\":" + nodes + "}\n");
    }


    private void create(HttpExchange x, String topic,
        Map<String, String> args)
        throws IOException, Refusal, ExecutionException, InterruptedException
    {
        boolean created = true;
        int n, partitions;
        Map<String, String> configs = new HashMap<>();

        partitions = (int) number(args, "partitions", 1, 1000);

        for (Map.Entry<String, String> e : args.entrySet()) {
            if (!e.getKey().startsWith("config.")) {
                throw new Refusal(400, "unknown argument " + e.getKey());
            }

            configs.put(e.getKey().substring("config.".length()),
                        e.getValue());
        }

        Admin admin = admin(CALL_TIMEOUT);

        try {
            try {
                admin.createTopics(List.of(
                    new NewTopic(topic, Optional.of(partitions),
                                 Optional.<Short>empty())
                    .configs(configs))).all().get();

            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof TopicExistsException)) {
                    throw e;
                }

                created = false;
            }

            n = settled(admin, topic);

            if (!created && n == partitions && !configs.isEmpty()) {
                configure(admin, topic, configs);
            }

        } finally {
            admin.close(Duration.ofMillis(CLOSE_TIMEOUT));
        }

        if (n != partitions) {
            throw new Refusal(409, "topic " + topic + " exists with " + n
                                   + " partitions");
        }

        answer(x, created ? 201 : 200, "application/json",
               "{\"topic\":" + quote(topic) + ",\"partitions\":" + n
               + ",\"created\":" + created + "}\n");
    }


    /*
     * A test that asks for a limit must have it, also on a topic that was
     * there already.
     */
    private static void configure(Admin admin, String topic,
        Map<String, String> configs)
        throws ExecutionException, InterruptedException
    {
        List<AlterConfigOp> ops = new ArrayList<>();

        for (Map.Entry<String, String> e : configs.entrySet()) {
            ops.add(new AlterConfigOp(new ConfigEntry(e.getKey(),
                                                      e.getValue()),
                                      AlterConfigOp.OpType.SET));
        }

        admin.incrementalAlterConfigs(Map.of(
            new ConfigResource(ConfigResource.Type.TOPIC, topic), ops))
             .all().get();
    }


    /*
     * The controller has the topic before the broker does, and the broker
     * has it before every partition is led.  Returns the partitions.
     */
    private static int settled(Admin admin, String topic)
        throws ExecutionException, InterruptedException
    {
        long deadline = now() + SETTLE_TIMEOUT;

        for ( ;; ) {

            try {
                TopicDescription d = admin.describeTopics(List.of(topic))
                                     .allTopicNames().get().get(topic);
                int led = 0;

                for (TopicPartitionInfo p : d.partitions()) {
                    if (p.leader() != null && !p.leader().isEmpty()) {
                        led++;
                    }
                }

                if (led == d.partitions().size()) {
                    return led;
                }

            } catch (ExecutionException e) {
                if (!(e.getCause()
                      instanceof UnknownTopicOrPartitionException))
                {
                    throw e;
                }
            }

            if (now() > deadline) {
                throw new TimeoutException("topic " + topic
                                           + " is not led within "
                                           + SETTLE_TIMEOUT + " ms");
            }

            Thread.sleep(POLL_PAUSE);
        }
    }


    private void delete(HttpExchange x, String topic)
        throws IOException, ExecutionException, InterruptedException
    {
        boolean deleted = true;
        Admin admin = admin(CALL_TIMEOUT);

        try {
            try {
                admin.deleteTopics(List.of(topic)).all().get();

            } catch (ExecutionException e) {
                if (!(e.getCause()
                      instanceof UnknownTopicOrPartitionException))
                {
                    throw e;
                }

                deleted = false;
            }

            gone(admin, topic);

        } finally {
            admin.close(Duration.ofMillis(CLOSE_TIMEOUT));
        }

        answer(x, 200, "application/json",
               "{\"topic\":" + quote(topic) + ",\"deleted\":" + deleted
               + "}\n");
    }


    private static void gone(Admin admin, String topic)
        throws ExecutionException, InterruptedException
    {
        long deadline = now() + SETTLE_TIMEOUT;

        for ( ;; ) {

            try {
                admin.describeTopics(List.of(topic)).allTopicNames().get();

            } catch (ExecutionException e) {
                if (e.getCause() instanceof UnknownTopicOrPartitionException)
                {
                    return;
                }

                throw e;
            }

            if (now() > deadline) {
                throw new TimeoutException("topic " + topic + " is still "
                                           + "listed after "
                                           + SETTLE_TIMEOUT + " ms");
            }

            Thread.sleep(POLL_PAUSE);
        }
    }


    private static List<TopicPartition> partitions(
        KafkaConsumer<byte[], byte[]> consumer, String topic)
        throws Refusal
    {
        List<PartitionInfo> infos = consumer.partitionsFor(topic);
        List<TopicPartition> parts = new ArrayList<>();

        if (infos == null || infos.isEmpty()) {
            throw new Refusal(404, "no topic " + topic);
        }

        for (PartitionInfo i : infos) {
            parts.add(new TopicPartition(topic, i.partition()));
        }

        return parts;
    }


    private static Range range(KafkaConsumer<byte[], byte[]> consumer,
        List<TopicPartition> parts)
    {
        Map<TopicPartition, Long> beginning = consumer.beginningOffsets(parts);

        return new Range(beginning, consumer.endOffsets(parts));
    }


    private void end(HttpExchange x, String topic)
        throws IOException, Refusal
    {
        Range r;
        KafkaConsumer<byte[], byte[]> consumer = consumer();

        try {
            r = range(consumer, partitions(consumer, topic));

        } finally {
            consumer.close(Duration.ofMillis(CLOSE_TIMEOUT));
        }

        answer(x, 200, "application/json",
               "{\"beginning\":" + offsets(r.beginning) + ",\"end\":"
               + offsets(r.end) + ",\"records\":" + r.records + "}\n");
    }


    private static String offsets(Map<TopicPartition, Long> map) {
        TreeMap<Integer, Long> sorted = new TreeMap<>();
        StringBuilder sb = new StringBuilder("[");

        for (Map.Entry<TopicPartition, Long> e : map.entrySet()) {
            sorted.put(e.getKey().partition(), e.getValue());
        }

        for (Long n : sorted.values()) {
            if (sb.length() > 1) {
                sb.append(',');
            }

            sb.append((long) n);
        }

        return sb.append(']').toString();
    }


    private void records(HttpExchange x, String topic,
        Map<String, String> args)
        throws IOException, Refusal, InterruptedException
    {
        long count = number(args, "count", 0, Long.MAX_VALUE);
        long timeout = number(args, "timeout_ms", 30000, MAX_WAIT);

        rest(args);

        KafkaConsumer<byte[], byte[]> consumer = consumer();

        try {
            read(x, consumer, topic, count, now() + timeout);

        } finally {
            consumer.close(Duration.ofMillis(CLOSE_TIMEOUT));
        }
    }


    private static void read(HttpExchange x,
        KafkaConsumer<byte[], byte[]> consumer, String topic, long count,
        long deadline)
        throws IOException, Refusal, InterruptedException
    {
        Range r = await(consumer, topic, count, deadline);
        List<TopicPartition> left = new ArrayList<>(r.end.keySet());

        consumer.assign(left);
        consumer.seekToBeginning(left);

        x.getResponseHeaders().set("Content-Type", "application/x-ndjson");
        x.getResponseHeaders().set("X-Records", Long.toString(r.records));

        /*
         * The first batch is read before the status is sent, so that a dead
         * node is a 503 and not a cut 200.
         */
        OutputStream out = null;
        StringBuilder sb = new StringBuilder(512);
        long stalled = now() + STALL_TIMEOUT;

        done(consumer, left, r);

        while (!left.isEmpty()) {

            ConsumerRecords<byte[], byte[]> batch
                = consumer.poll(Duration.ofMillis(250));

            if (!batch.isEmpty()) {
                stalled = now() + STALL_TIMEOUT;

            } else if (now() > stalled) {
                throw new TimeoutException("no record for " + STALL_TIMEOUT
                                           + " ms, partitions left: " + left);
            }

            if (out == null && !batch.isEmpty()) {
                out = open(x);
            }

            for (ConsumerRecord<byte[], byte[]> rec : batch) {
                TopicPartition p = new TopicPartition(rec.topic(),
                                                      rec.partition());

                if (rec.offset() >= r.end.get(p)) {
                    continue;
                }

                sb.setLength(0);
                line(sb, rec);
                out.write(sb.toString().getBytes(StandardCharsets.UTF_8));
            }

            done(consumer, left, r);
        }

        if (out == null) {
            out = open(x);
        }

        out.close();
    }


    private static OutputStream open(HttpExchange x) throws IOException {
        x.sendResponseHeaders(200, 0);
        return new BufferedOutputStream(x.getResponseBody(), 65536);
    }


    /*
     * A partition that has been read to its end is paused: somebody who
     * still writes to it would starve the others.
     */
    private static void done(KafkaConsumer<byte[], byte[]> consumer,
        List<TopicPartition> left, Range r)
    {
        List<TopicPartition> ready = new ArrayList<>();

        for (TopicPartition p : left) {
            if (r.beginning.get(p) >= r.end.get(p)
                || consumer.position(p) >= r.end.get(p))
            {
                ready.add(p);
            }
        }

        consumer.pause(ready);
        left.removeAll(ready);
    }


    /*
     * With a count, a node that is away is waited for like records that are
     * not there yet.
     */
    private static Range await(KafkaConsumer<byte[], byte[]> consumer,
        String topic, long count, long deadline)
        throws Refusal, InterruptedException
    {
        Range r = null;
        List<TopicPartition> parts = null;

        for ( ;; ) {

            try {
                if (parts == null) {
                    parts = partitions(consumer, topic);
                }

                r = range(consumer, parts);

                if (r.records >= count) {
                    return r;
                }

            } catch (ApiException e) {
                if (count == 0
                    || e instanceof UnknownTopicOrPartitionException
                    || e instanceof InvalidTopicException
                    || now() >= deadline)
                {
                    throw e;
                }
            }

            if (now() >= deadline && r != null) {
                return r;
            }

            Thread.sleep(POLL_PAUSE);
        }
    }


    private static void line(StringBuilder sb,
        ConsumerRecord<byte[], byte[]> rec)
    {
        boolean first = true;
        Map<String, List<byte[]>> headers = new LinkedHashMap<>();

        sb.append("{\"partition\":").append(rec.partition())
          .append(",\"offset\":").append(rec.offset())
          .append(",\"timestamp\":").append(rec.timestamp());

        member(sb, "key", rec.key());
        member(sb, "value", rec.value());

        for (Header h : rec.headers()) {
            headers.computeIfAbsent(h.key(), k -> new ArrayList<>())
                   .add(h.value());
        }

        sb.append(",\"headers\":{");

        for (Map.Entry<String, List<byte[]>> e : headers.entrySet()) {
            if (!first) {
                sb.append(',');
            }

            first = false;
            header(sb, e.getKey(), e.getValue());
        }

        sb.append("}}\n");
    }


    private static void member(StringBuilder sb, String name, byte[] bytes) {
        String text = text(bytes);

        sb.append(",\"").append(name);

        if (bytes == null) {
            sb.append("\":null");

        } else if (text == null) {
            sb.append("_base64\":\"")
              .append(Base64.getEncoder().encodeToString(bytes)).append('"');

        } else {
            sb.append("\":");
            quote(sb, text);
        }
    }


    /*
     * Kafka lets a header be given twice, JSON does not: a repeated one is
     * an array, so that a test sees the repetition.
     */
    private static void header(StringBuilder sb, String name,
        List<byte[]> values)
    {
        boolean many = values.size() > 1;

        quote(sb, name);
        sb.append(many ? ":[" : ":");

        for (int i = 0; i < values.size(); i++) {
            byte[] bytes = values.get(i);
            String text = text(bytes);

            if (i > 0) {
                sb.append(',');
            }

            if (bytes == null) {
                sb.append("null");

            } else if (text == null) {
                sb.append("{\"base64\":\"")
                  .append(Base64.getEncoder().encodeToString(bytes))
                  .append("\"}");

            } else {
                quote(sb, text);
            }
        }

        if (many) {
            sb.append(']');
        }
    }


    /* null: not valid UTF-8, or not there. */
    private static String text(byte[] bytes) {
        if (bytes == null) {
            return null;
        }

        try {
            return StandardCharsets.UTF_8.newDecoder()
                   .decode(ByteBuffer.wrap(bytes)).toString();

        } catch (CharacterCodingException e) {
            return null;
        }
    }


    private static String quote(String s) {
        StringBuilder sb = new StringBuilder();

        quote(sb, s);
        return sb.toString();
    }


    private static void quote(StringBuilder sb, String s) {
        sb.append('"');

        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);

            if (c == '"' || c == '\\') {
                sb.append('\\').append(c);

            } else if (c < 0x20) {
                sb.append(String.format("\\u%04x", (int) c));

            } else {
                sb.append(c);
            }
        }

        sb.append('"');
    }


    private static void answer(HttpExchange x, int status, String type,
        String text)
        throws IOException
    {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);

        x.getResponseHeaders().set("Content-Type", type);
        x.sendResponseHeaders(status, body.length);

        OutputStream out = x.getResponseBody();

        out.write(body);
        out.close();
    }


    private static long now() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    }
}
