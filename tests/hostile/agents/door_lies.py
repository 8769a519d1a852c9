# Names other hosts, other tests and other machines at its door.
import http.client
def ask(method, target, **headers):
    door = http.client.HTTPConnection("127.0.0.1", 8377, timeout=20)
    try:
        door.request(method, target, headers=headers)
        return door.getresponse().status
    except Exception as error:
        return type(error).__name__
def run(query):
    found = [ask("CONNECT", "169.254.169.254:80"), ask("CONNECT", "127.0.0.1:22"), ask("CONNECT", "localhost:5432"),
             ask("GET", "http://169.254.169.254/latest/meta-data/"), ask("GET", "/../../etc/passwd"),
             ask("GET", "/openai/v1/models", Host="169.254.169.254"), ask("TRACE", "/"), ask("GET", "//evil.test/")]
    return " ".join(map(str, found))
