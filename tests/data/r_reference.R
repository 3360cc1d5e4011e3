# Reference values for tests/test_r_parity.py, one row a number.
# Run in this folder: Rscript r_reference.R      (R 4.2.2, survival 3.5-3, cmprsk 2.2-11, KMsurv, jsonlite)
# Frames: aml, drug6mp and bmt come with R and are compared with the CSV files here; sksurv_bmt.csv is
# sksurv.datasets.load_bmt (Scrucca 2007); bioc_all.csv is made from pData of Bioconductor's ALL (Chiaretti 2004) with
# strict month/day/year dates; exemplar.csv is a made cohort of 31.
suppressMessages({library(survival); library(cmprsk); library(KMsurv); library(jsonlite)})

read <- function(name) read.csv(paste0(name, ".csv"), stringsAsFactors = FALSE)
facts <- list()
note <- function(data, group, analysis, statistic, value, call)
  facts[[length(facts) + 1]] <<- list(data = data, group = as.character(group), analysis = analysis,
                                      statistic = statistic, value = unname(as.numeric(value)), call = call)
tight <- coxph.control(eps = 1e-14, toler.chol = 1e-16, iter.max = 100)  # R's default stops 3e-7 short

curve <- function(data, d, times, entry = NULL) {
  for (g in unique(d$arm)) {
    s <- d[d$arm == g, ]
    f <- if (is.null(entry)) survfit(Surv(time, event) ~ 1, s, conf.type = "log-log") else
      survfit(Surv(entry, time, event) ~ 1, s, conf.type = "log-log")
    how <- paste0("survfit(Surv(", if (!is.null(entry)) "entry, ", "time, event) ~ 1, conf.type = 'log-log')")
    what <- if (is.null(entry)) "km" else "km_truncated"
    q <- quantile(f, c(0.25, 0.5, 0.75))
    if (!is.null(entry)) {  # limits rise again here; quantile() then gives limits that leave the median out
      m <- summary(f)$table
      for (k in c("median", "0.95LCL", "0.95UCL"))
        note(data, g, what, c(median = "median", "0.95LCL" = "median_lower", "0.95UCL" = "median_upper")[[k]], m[[k]],
             paste0("summary(", how, ")$table"))
    } else for (p in c("25", "50", "75")) {
      name <- c("25" = "q25", "50" = "median", "75" = "q75")[[p]]
      note(data, g, what, name, q$quantile[p], paste0("quantile(", how, ")"))
      note(data, g, what, paste0(name, "_lower"), q$lower[p], paste0("quantile(", how, ")$lower"))
      note(data, g, what, paste0(name, "_upper"), q$upper[p], paste0("quantile(", how, ")$upper"))
    }
    z <- summary(f, times = times, extend = TRUE)
    for (i in seq_along(times)) {
      if (times[i] > max(s$time)) next
      at <- paste0("summary(", how, ", times = ", times[i], ")")
      note(data, g, what, paste0("survival@", times[i]), z$surv[i], at)
      note(data, g, what, paste0("survival_lower@", times[i]), z$lower[i], at)
      note(data, g, what, paste0("survival_upper@", times[i]), z$upper[i], at)
      note(data, g, what, paste0("at_risk@", times[i]), z$n.risk[i], at)
    }
    if (is.null(entry)) {
      r <- quantile(survfit(Surv(time, 1 - event) ~ 1, s, conf.type = "log-log"), 0.5)
      for (k in c("quantile", "lower", "upper"))
        note(data, g, "followup", c(quantile = "median", lower = "median_lower", upper = "median_upper")[[k]], r[[k]],
             "quantile(survfit(Surv(time, 1 - event) ~ 1, conf.type = 'log-log'), 0.5)")
    }
  }
}
contrast <- function(data, d, reference) {
  d$other <- as.integer(d$arm != reference)
  s <- survdiff(Surv(time, event) ~ other, d)
  note(data, reference, "logrank", "chi2", s$chisq, "survdiff(Surv(time, event) ~ arm)")
  note(data, reference, "logrank", "p", pchisq(s$chisq, 1, lower.tail = FALSE), "survdiff(Surv(time, event) ~ arm)")
  ratio(data, reference, "cox", coxph(Surv(time, event) ~ other, d, ties = "efron", control = tight),
        "coxph(Surv(time, event) ~ arm, ties = 'efron')")
  z <- cox.zph(coxph(Surv(time, event) ~ other, d, ties = "efron", control = tight))$table
  note(data, reference, "ph", "chi2", z["other", "chisq"], "cox.zph(coxph(Surv(time, event) ~ arm))")
  note(data, reference, "ph", "p", z["other", "p"], "cox.zph(coxph(Surv(time, event) ~ arm))")
}
ratio <- function(data, reference, analysis, m, call) {
  b <- coef(m)[[1]]; se <- sqrt(vcov(m)[1, 1]); w <- qnorm(0.975) * se
  note(data, reference, analysis, "HR", exp(b), call)
  note(data, reference, analysis, "lower", exp(b - w), call)
  note(data, reference, analysis, "upper", exp(b + w), call)
  note(data, reference, analysis, "p", 2 * pnorm(-abs(b / se)), call)
}
incidence <- function(data, d, times) {
  o <- cuminc(d$time, d$code, d$arm); tp <- timepoints(o, times)
  for (row in rownames(tp$est)) {
    parts <- strsplit(row, " (?=[12]$)", perl = TRUE)[[1]]
    for (j in seq_along(times)) {
      if (is.na(tp$est[row, j])) next
      at <- paste0("@", times[j]); f <- tp$est[row, j]; v <- tp$var[row, j]
      note(data, parts[1], paste0("cif", parts[2]), paste0("incidence", at), f, "cmprsk::cuminc(time, code, arm)$est")
      if (f > 0) {
        note(data, parts[1], paste0("cif", parts[2]), paste0("variance", at), v, "cmprsk::cuminc(time, code, arm)$var")
        w <- qnorm(0.975) * sqrt(v) / (f * log(f))
        note(data, parts[1], paste0("cif", parts[2]), paste0("lower", at), f^exp(-w), "est ^ exp(-1.96 * se / (est * log(est)))")
        note(data, parts[1], paste0("cif", parts[2]), paste0("upper", at), f^exp(w), "est ^ exp(1.96 * se / (est * log(est)))")
      }
    }
  }
  for (k in rownames(o$Tests)) {
    note(data, "all", paste0("gray", k), "chi2", o$Tests[k, "stat"], "cmprsk::cuminc(time, code, arm)$Tests")
    note(data, "all", paste0("gray", k), "p", o$Tests[k, "pv"], "cmprsk::cuminc(time, code, arm)$Tests")
  }
}

d <- read("aml"); stopifnot(all(d$time == aml$time), all(d$event == aml$status), all(d$arm == aml$x))
curve("aml", d, c(12, 24, 36, 48)); contrast("aml", d, "Maintained")
d <- read("drug6mp"); data(drug6mp)
stopifnot(all(d$time == c(drug6mp$t1, drug6mp$t2)), all(d$event == c(rep(1, 21), drug6mp$relapse)))
curve("drug6mp", d, c(5, 10, 15, 20)); contrast("drug6mp", d, "placebo")
d <- read("km_bmt"); data(bmt)
stopifnot(all(d$time == bmt$t2), all(d$arm == bmt$group), all(d$code == ifelse(bmt$d2 == 1, 1, ifelse(bmt$d3 == 1, 2, 0))))
incidence("km_bmt", d, c(182.5, 365, 730, 1095))
d$event <- as.integer(d$code > 0)
curve("km_bmt", d, c(182.5, 365, 730, 1095)); contrast("km_bmt", d[d$arm != 3, ], "1")
d <- read("sksurv_bmt"); incidence("sksurv_bmt", d, c(6, 12, 24, 36))
d$event <- as.integer(d$code == 1)
curve("sksurv_bmt", d, c(6, 12, 24, 36)); contrast("sksurv_bmt", d, "ALL")
d <- read("bioc_all"); curve("bioc_all", d, c(182, 365, 730)); contrast("bioc_all", d, "other")
d <- read("exemplar"); d$event <- as.integer(d$code == 1)
curve("exemplar", d, c(365, 731, 1096, 1826)); contrast("exemplar", d, "IM"); incidence("exemplar", d, c(365, 731, 1826))
d$time <- d$os_time; d$event <- d$os_event
curve("exemplar_os", d, c(365, 731, 1826)); contrast("exemplar_os", d, "IM"); curve("exemplar_os", d, c(731, 1826), TRUE)
d$other <- as.integer(d$arm != "IM")
ratio("exemplar_os", "IM", "cox_truncated",
      coxph(Surv(entry, time, event) ~ other, d, ties = "efron", control = tight), "coxph(Surv(entry, time, event) ~ arm)")
for (k in list(c(3, 19), c(4, 19), c(12, 19), c(2, 12), c(9, 18), c(0, 12), c(12, 12))) {
  b <- binom.test(k[1], k[2])$conf.int
  for (i in 1:2) note("abstract", paste(k, collapse = " of "), "proportion", c("lower", "upper")[i], b[i],
                      paste0("binom.test(", k[1], ", ", k[2], ")"))
}
write_json(facts, "r_reference.json", auto_unbox = TRUE, digits = 14, pretty = FALSE, na = "null")
text <- readLines("r_reference.json"); writeLines(gsub("},{", "},\n{", text, fixed = TRUE), "r_reference.json")
cat(length(facts), "numbers\n")
