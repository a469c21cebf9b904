//! A request in, an answer out. Bodies pass through as they come, so that streamed tokens stay a stream.

use std::convert::Infallible;
use std::sync::Arc;

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::pool::{Pool, Refusal};

type Body = BoxBody<Bytes, hyper::Error>;

/// Answers the requests of one connection.
pub(super) async fn serve_connection(pool: Arc<Pool>, stream: TcpStream) {
    let service = service_fn(|request| {
        let pool = Arc::clone(&pool);
        async move { Ok::<_, Infallible>(answer(&pool, request).await) }
    });
    // A client that goes away in the midst of an answer is its own affair.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(pool: &Arc<Pool>, request: Request<Incoming>) -> Response<Body> {
    if request.uri().path() == "/metrics" {
        let mut response = Response::new(whole(pool.metrics()));
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4"));
        return response;
    }
    let seat = match pool.seat().await {
        Ok(seat) => seat,
        Err(Refusal::Full) => {
            return error(
                StatusCode::SERVICE_UNAVAILABLE,
                "overloaded",
                "too many requests are waiting",
            );
        }
        Err(Refusal::NotHealthy(reason)) => {
            return error(StatusCode::SERVICE_UNAVAILABLE, "unavailable", &reason);
        }
    };
    match pass_on(seat.port, request.map(BodyExt::boxed)).await {
        // The seat lives in the body, and so until its last byte has gone out.
        Ok(response) => response.map(|body| {
            body.map_frame(move |frame| {
                let _ = &seat;
                frame
            })
            .boxed()
        }),
        Err(reason) => {
            pool.count_failed();
            error(StatusCode::BAD_GATEWAY, "bad_gateway", &reason)
        }
    }
}

async fn pass_on(port: u16, mut request: Request<Body>) -> Result<Response<Incoming>, String> {
    let stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .map_err(|error| format!("the model server does not listen: {error}"))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| format!("the model server does not speak HTTP: {error}"))?;
    tokio::spawn(connection);
    // Each hop keeps its own connection.
    request.headers_mut().remove(CONNECTION);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse().map_err(|_| "the path cannot be passed on".to_owned())?;
    let mut response = sender
        .send_request(request)
        .await
        .map_err(|error| format!("the model server gave no answer: {error}"))?;
    response.headers_mut().remove(CONNECTION);
    Ok(response)
}

/// Asks a model server how it is.
pub(super) async fn ask_health(port: u16, path: &str) -> Result<StatusCode, String> {
    let body = Empty::<Bytes>::new().map_err(|never| match never {}).boxed();
    let request = Request::get(path)
        .header(HOST, "127.0.0.1")
        .body(body)
        .map_err(|error| error.to_string())?;
    pass_on(port, request).await.map(|response| response.status())
}

fn whole(text: String) -> Body {
    Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed()
}

/// An error in the form that clients of completions know.
fn error(status: StatusCode, kind: &str, message: &str) -> Response<Body> {
    let text = serde_json::json!({"error": {"type": kind, "message": message}}).to_string();
    let mut response = Response::new(whole(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
