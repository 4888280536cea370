extension HTMLReport {
    static let style = """

        :root{--ink:#1c2430;--soft:#5b6675;--line:#dfe4ea;--band:#f5f7fa;--accent:#0b5cad;--best:#e8f1fb}
        *{box-sizing:border-box}
        html{scroll-padding-top:1rem}
        body{margin:0;color:var(--ink);background:#fff;font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",\
        "DejaVu Sans",sans-serif}
        header,main{max-width:1480px;margin:0 auto;padding:0 28px}
        header{padding-top:30px;padding-bottom:14px;border-bottom:1px solid var(--line)}
        h1{margin:0;font-size:28px;font-weight:650;letter-spacing:-.01em}
        header p{margin:4px 0 12px;color:var(--soft)}
        nav a{display:inline-block;margin:0 14px 4px 0;color:var(--accent);text-decoration:none;font-weight:550}
        nav a:hover{text-decoration:underline}
        section{padding:26px 0 8px}
        h2{margin:0 0 4px;font-size:21px;font-weight:650}
        h3{margin:22px 0 8px;font-size:15px;font-weight:650}
        .note{max-width:96ch;margin:4px 0 10px;color:var(--soft);font-size:14px}
        .scroll{max-height:80vh;overflow:auto;border:1px solid var(--line);border-radius:8px}
        table{width:100%;border-collapse:separate;border-spacing:0;font-variant-numeric:tabular-nums}
        thead th{position:sticky;top:0;z-index:2;background:var(--band);border-bottom:1px solid var(--line);\
        font-size:12.5px;font-weight:600;color:var(--soft);text-align:right;vertical-align:bottom;white-space:nowrap}
        th,td{padding:6px 12px;text-align:right}
        th:first-child{position:sticky;left:0;z-index:1;background:#fff;text-align:left;white-space:nowrap}
        thead th:first-child{z-index:3;background:var(--band)}
        tbody th{font-weight:500}
        tbody tr+tr>*{border-top:1px solid #eef1f4}
        tbody tr:hover>*{background:#f9fbfd}
        td small{display:block;color:var(--soft);font-size:11.5px;white-space:nowrap}
        td.count{color:var(--soft);white-space:nowrap}
        td.none{color:#a4adb8}
        td.best{font-weight:700;background:var(--best)}
        td.best small{font-weight:400}
        td.text{text-align:left;overflow-wrap:anywhere}
        thead:has(+tbody td.text) th{text-align:left}
        code{font:12.5px ui-monospace,"DejaVu Sans Mono",monospace}
        .plots{display:flex;flex-wrap:wrap;gap:20px}
        .plot{width:min(100%,500px);border:1px solid var(--line);border-radius:8px;background:#fff}
        .plot-title{font-size:14px;font-weight:650;fill:var(--ink)}
        .plot .grid{stroke:#e7ebf0;fill:none}
        .plot .chance{stroke:#9aa5b1;stroke-dasharray:2 4;fill:none}
        .plot .tick{font-size:11.5px;fill:var(--soft)}
        .plot .axis{font-size:12.5px;fill:var(--ink)}
        .plot .curve{fill:none;stroke-width:1.8;stroke-linejoin:round}
        .plot .curve[hidden]{display:none}
        .legend{display:flex;flex-wrap:wrap;gap:4px 20px;margin:12px 0 4px;font-size:13.5px}
        .legend label{display:inline-flex;align-items:center;gap:6px;cursor:pointer}
        .legend i{display:inline-block;width:18px;height:3px;border-radius:2px}
        #gallery-controls{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:center;margin:10px 0 14px;font-size:14px}
        select,button{font:inherit;color:inherit;padding:4px 8px;border:1px solid #c4ccd6;border-radius:6px;background:#fff}
        button{cursor:pointer}
        button:disabled{opacity:.4;cursor:default}
        .pager{margin-left:auto}
        .card{padding:12px 14px;margin-bottom:12px;border:1px solid var(--line);border-radius:8px}
        .card h4{margin:0 0 8px;font-size:14px;font-weight:600;overflow-wrap:anywhere}
        .badge{display:inline-block;margin-left:10px;padding:0 8px;border-radius:10px;font-size:12px;font-weight:550;\
        background:#e6f4ea;color:#17643a}
        .badge.m{background:#fdeceb;color:#a3271d}
        .badge.p{background:var(--band);color:var(--soft)}
        .cells{display:flex;flex-wrap:wrap;gap:10px}
        .cells figure{margin:0;max-width:100%}
        .cells i{display:block;border-radius:3px;background-repeat:no-repeat;box-shadow:0 0 0 1px #0001}
        .cells figcaption{max-width:170px;margin-top:3px;font-size:12px;line-height:1.35}
        .cells figcaption span{display:block;color:var(--soft);font-variant-numeric:tabular-nums}
        details{margin-top:12px}
        summary{cursor:pointer;color:var(--accent)}
        @media print{nav,#gallery,.legend{display:none}.scroll{max-height:none;overflow:visible}}

        """
}
