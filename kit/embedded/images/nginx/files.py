"""The files that an nginx image brings."""

from __future__ import annotations

WELCOME = """<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
html { color-scheme: light dark; }
body { width: 35em; margin: 0 auto;
font-family: Tahoma, Verdana, Arial, sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, nginx is successfully installed and working.
Further configuration is required for the web server, reverse proxy,\x20
API gateway, load balancer, content cache, or other features.</p>

<p>For online documentation and support please refer to
<a href="https://nginx.org/">nginx.org</a>.<br/>
To engage with the community please visit
<a href="https://community.nginx.org/">community.nginx.org</a>.<br/>
For enterprise grade support, professional services, additional\x20
security features and capabilities please refer to
<a href="https://f5.com/nginx">f5.com/nginx</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
"""
ERROR_PAGE = "<!DOCTYPE html>\n<html><head><title>Error</title></head><body><h1>An error occurred.</h1></body></html>\n"
NGINX_CONF = """
user  nginx;
worker_processes  auto;

error_log  /var/log/nginx/error.log notice;
pid        /run/nginx.pid;


events {
    worker_connections  1024;
}


http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;

    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "$http_x_forwarded_for"';

    access_log  /var/log/nginx/access.log  main;

    sendfile        on;
    #tcp_nopush     on;

    keepalive_timeout  65;

    #gzip  on;

    include /etc/nginx/conf.d/*.conf;
}
"""
DEFAULT_CONF = """server {
    listen       80;
    server_name  localhost;

    #access_log  /var/log/nginx/host.access.log  main;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    #error_page  404              /404.html;

    # redirect server error pages to the static page /50x.html
    #
    error_page   500 502 503 504  /50x.html;
    location = /50x.html {
        root   /usr/share/nginx/html;
    }
}
"""
MIME = {
    "text/html": "html htm shtml", "text/css": "css", "text/xml": "xml", "image/gif": "gif", "image/jpeg": "jpeg jpg",
    "application/javascript": "js", "application/atom+xml": "atom", "application/rss+xml": "rss", "text/mathml": "mml",
    "text/plain": "txt", "text/vnd.wap.wml": "wml", "image/avif": "avif", "image/png": "png", "image/svg+xml": "svg svgz",
    "image/tiff": "tif tiff", "image/webp": "webp", "image/x-icon": "ico", "image/bmp": "bmp", "font/woff": "woff", "font/woff2": "woff2",
    "application/java-archive": "jar war ear", "application/json": "json", "application/pdf": "pdf", "application/wasm": "wasm",
    "application/xhtml+xml": "xhtml", "application/zip": "zip", "application/octet-stream": "bin exe dll deb dmg iso img",
    "audio/mpeg": "mp3", "audio/ogg": "ogg", "video/mp4": "mp4", "video/mpeg": "mpeg mpg", "video/webm": "webm",
}  # fmt: skip


def mime_types() -> str:
    """Return /etc/nginx/mime.types."""
    lines = [f"    {kind:<50}    {extensions};" for kind, extensions in MIME.items()]
    return "\n".join(("", "types {", *lines, "}", ""))
